import { useEffect, useState } from 'preact/hooks';
import { assertNever } from '../../shared/never.ts';
import { t } from '../i18n/index.ts';
import type { ConnectionState } from '../state/model.ts';
import { Icon } from './parts/Icon.tsx';
import { useSignedIn, useWorld } from './parts/world.ts';
import { useLazyViews } from './useLazyViews.ts';

/** One line about the connection; nothing while it is live. */
export function ConnectionLine({ onSignIn }: { onSignIn(): void }) {
  const { update } = useWorld();
  const current = useSignedIn((app) => app.connection);
  const isLive = current.tag === 'live';
  const waiting = useSignedIn((app) => (isLive ? 0 : app.waiting)); // live, nothing shows it
  const connection = useDebounced(current);
  const lazy = useLazyViews(connection.tag);
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
          {waiting > 0 ? t.connection.offlineWaiting(waiting) : t.connection.offline}
        </p>
      );
    case 'stranger':
    case 'suspended':
      return lazy ? <lazy.StrangerLine /> : null;
    case 'signed-out':
    case 'user-unknown':
      return (
        <p class="line">
          {signedOutText(connection, waiting)}
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

function signedOutText(
  connection: Extract<ConnectionState, { tag: 'signed-out' | 'user-unknown' }>,
  waiting: number,
): string {
  if (connection.tag === 'user-unknown') return t.connection.unknown;
  if (!connection.ended) return t.connection.sessionUnknown;
  return waiting > 0 ? t.connection.signedOutWaiting : t.connection.signedOut;
}

/** A transient state is shown only if it lasts longer than this. */
const SHOWN_AFTER_MS = 700;

/** The state to show, debounced: a transient state shows only after SHOWN_AFTER_MS. */
function useDebounced(connection: ConnectionState): ConnectionState {
  const [shown, setShown] = useState<ConnectionState>({ tag: 'live' });
  const transient = connection.tag === 'connecting' || connection.tag === 'catching-up';
  useEffect(() => {
    if (!transient) return setShown(connection);
    const timer = setTimeout(() => setShown(connection), SHOWN_AFTER_MS);
    return () => clearTimeout(timer);
  }, [connection.tag]);
  return transient ? shown : connection;
}
