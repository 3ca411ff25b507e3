import { t } from '../../i18n/index.ts';
import { sentence } from '../../i18n/reason.ts';
import { inSheets } from '../../i18n/sheets.ts';
import type { SignedIn } from '../../state/model.ts';
import { useWorld } from '../context.ts';
import { useAsk } from '../useAsk.ts';
import { Sheet } from './Sheet.tsx';
import type { SheetsProps } from './Sheets.tsx';

/** Says first what signing out means: what waits stays here, and without a password it may be for good. */
export function SignOutSheet({ app, onOpen }: { app: SignedIn; onOpen: SheetsProps['onOpen'] }) {
  const { client, router } = useWorld();
  const s = inSheets();
  const ask = useAsk();
  const forGood = app.hasPassword === false && app.lastDevice === true;
  const signOut = () =>
    ask.run(
      () => client.signOut(),
      () => router.go({ tag: 'rooms' }),
    );
  return (
    <Sheet title={s.signOut.title} onClose={() => onOpen(undefined)}>
      <p>{warning(app)}</p>
      {app.waiting > 0 && (
        <p>{forGood ? s.signOut.neverSent(app.waiting) : s.signOut.waiting(app.waiting, app.user.name)}</p>
      )}
      <p class="why" role="alert">
        {ask.reason && sentence(ask.reason)}
      </p>
      {app.hasPassword !== true && (
        <button type="button" class="button" onClick={() => onOpen({ tag: 'password' })}>
          {s.menu.setPassword}
        </button>
      )}
      <button type="button" class="button danger" aria-busy={ask.busy} onClick={signOut}>
        {forGood ? s.signOut.confirmForGood : s.signOut.confirm}
      </button>
      <button type="button" class="button quiet" onClick={() => onOpen(undefined)}>
        {t.cancel}
      </button>
    </Sheet>
  );
}

function warning({ hasPassword, lastDevice, user }: SignedIn): string {
  const s = inSheets();
  if (hasPassword === true) return s.signOut.safe;
  if (hasPassword === undefined || lastDevice === undefined) return s.signOut.unsure;
  return lastDevice ? s.signOut.forGood(user.name) : s.signOut.noPassword(user.name);
}
