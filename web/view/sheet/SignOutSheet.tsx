import { sentence, t } from '../../i18n/index.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { SignedIn } from '../../state/model.ts';
import { useAsyncAction } from '../parts/useAsyncAction.ts';
import { useWorld } from '../parts/world.ts';
import { afterClosing, Sheet } from './Sheet.tsx';
import type { SheetsProps } from './Sheets.tsx';

/** Confirms signing out, with its consequences: unsent messages stay on the device, and without a password it may be final. */
export function SignOutSheet({ app, onOpen }: { app: SignedIn; onOpen: SheetsProps['onOpen'] }) {
  const { client, router } = useWorld();
  const s = sheetTexts();
  const action = useAsyncAction();
  const isFinal = app.hasPassword === false && app.lastDevice === true;
  const signOut = () =>
    action.run(
      () => client.signOut(),
      () => afterClosing(() => router.go({ tag: 'rooms' })),
    );
  return (
    <Sheet title={s.signOut.title} onClose={() => onOpen(undefined)}>
      <p>{warning(app)}</p>
      {app.waiting > 0 && (
        <p>{isFinal ? s.signOut.neverSent(app.waiting) : s.signOut.waiting(app.waiting, app.user.name)}</p>
      )}
      <p class="why" role="alert">
        {action.reason && sentence(action.reason)}
      </p>
      {app.hasPassword !== true && (
        <button type="button" class="button" onClick={() => onOpen({ tag: 'password' })}>
          {s.menu.setPassword}
        </button>
      )}
      <button type="button" class="button danger" aria-busy={action.busy} onClick={signOut}>
        {isFinal ? s.signOut.confirmForGood : s.signOut.confirm}
      </button>
      <button type="button" class="button quiet" onClick={() => onOpen(undefined)}>
        {t.cancel}
      </button>
    </Sheet>
  );
}

function warning({ hasPassword, lastDevice, user }: SignedIn): string {
  const s = sheetTexts();
  if (hasPassword === true) return s.signOut.safe;
  if (hasPassword === undefined || lastDevice === undefined) return s.signOut.unsure;
  return lastDevice ? s.signOut.forGood(user.name) : s.signOut.noPassword(user.name);
}
