import { useEffect, useState } from 'preact/hooks';
import { assertNever } from '../../shared/never.ts';
import { t } from '../i18n/index.ts';
import type { ConnectionState, SignedIn } from '../state/model.ts';
import { useWorld } from './context.ts';
import { Icon } from './Icon.tsx';

/** The one quiet line about the connection; nothing when all is well. */
export function ConnectionLine({ app, onSignIn }: { app: SignedIn; onSignIn(): void }) {
  const { update } = useWorld();
  const connection = useCalm(app.connection);
  switch (connection.tag) {
    case 'live':
      return null;
    case 'connecting':
      return <p class="line">{t.connection.connecting}</p>;
    case 'catching-up':
      return <p class="line">{t.connection.catchingUp}</p>;
    case 'moving':
      return <p class="line">{t.connection.moving(connection.percent)}</p>;
    case 'offline':
      return (
        <p class="line">
          <Icon name="queued" />
          {app.waiting > 0 ? t.connection.offlineWaiting(app.waiting) : t.connection.offline}
        </p>
      );
    case 'signed-out':
    case 'unknown':
      return (
        <p class="line">
          {whyOut(connection.tag, app.waiting)}
          <button type="button" onClick={onSignIn}>
            {t.connection.signIn}
          </button>
        </p>
      );
    case 'upgrade':
      return (
        <p class="line">
          {t.connection.upgrade}
          <button type="button" onClick={update.take}>
            {t.update.take}
          </button>
        </p>
      );
    default:
      return assertNever(connection);
  }
}

function whyOut(tag: 'signed-out' | 'unknown', waiting: number): string {
  if (tag === 'unknown') return t.connection.unknown;
  return waiting > 0 ? t.connection.signedOutWaiting : t.connection.signedOut;
}

/** What passes sooner than this is not worth a line that comes and goes. */
const PASSES_WITHIN_MS = 700;

/** The state as it is shown: a passing one is shown only when it does not pass at once. */
function useCalm(connection: ConnectionState): ConnectionState {
  const [shown, setShown] = useState<ConnectionState>({ tag: 'live' });
  const passing = connection.tag === 'connecting' || connection.tag === 'catching-up';
  useEffect(() => {
    if (!passing) return setShown(connection);
    const timer = setTimeout(() => setShown(connection), PASSES_WITHIN_MS);
    return () => clearTimeout(timer);
  }, [connection.tag]);
  return passing ? shown : connection;
}
