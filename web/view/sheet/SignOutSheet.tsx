import { useState } from 'preact/hooks';
import { shownName } from '../../../shared/text.ts';
import { sentence, t } from '../../i18n/index.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { SignedIn } from '../../state/model.ts';
import { useAsyncAction } from '../parts/useAsyncAction.ts';
import { useWorld } from '../parts/world.ts';
import { afterClosing, Sheet } from './Sheet.tsx';
import type { SheetsProps } from './Sheets.tsx';

/**
 * Confirms signing out, with its consequences: the messages of rooms are removed, unsent messages and drafts stay on the
 * device, and without a password it may be final. Whoever wants to leave nothing behind confirms that a second time.
 */
export function SignOutSheet({ app, onOpen }: { app: SignedIn; onOpen: SheetsProps['onOpen'] }) {
  const { client, router } = useWorld();
  const [deletes, setDeletes] = useState(false);
  const s = sheetTexts();
  const action = useAsyncAction();
  const isFinal = app.hasPassword === false && app.hasRecoveryCode !== true && app.lastDevice === true;
  const notSent = app.rooms.reduce((sum, room) => sum + room.notSent, 0);
  const drafts = app.rooms.filter(({ draft }) => draft !== '').length;
  const unsent = app.waiting + notSent;
  const signOut = () =>
    action.run(
      () => client.signOut(deletes ? 'deleted' : undefined),
      () => afterClosing(() => router.go({ tag: 'rooms' })),
    );
  return (
    <Sheet title={s.signOut.title} onClose={() => onOpen(undefined)}>
      <p>{warning(app)}</p>
      {deletes ? (
        <p role="alert">{s.signOut.deletes(list([unsent, s.signOut.unsent], [drafts, s.signOut.drafts]))}</p>
      ) : (
        <>
          <p>{s.signOut.removed}</p>
          {app.waiting > 0 && (
            <p>
              {isFinal
                ? s.signOut.neverSent(app.waiting)
                : s.signOut.waiting(app.waiting, shownName(app.user.name))}
            </p>
          )}
          {notSent + drafts > 0 && (
            <p>{s.signOut.kept(list([notSent, s.signOut.notSent], [drafts, s.signOut.drafts]))}</p>
          )}
        </>
      )}
      <p class="why" role="alert">
        {action.reason && sentence(action.reason)}
      </p>
      {app.hasPassword !== true && !deletes && (
        <button type="button" class="button" onClick={() => onOpen({ tag: 'password' })}>
          {s.menu.setPassword}
        </button>
      )}
      <button type="button" class="button danger" aria-busy={action.busy} onClick={signOut}>
        {deletes ? s.signOut.confirmDelete : isFinal ? s.signOut.confirmForGood : s.signOut.confirm}
      </button>
      {unsent + drafts > 0 && !deletes && (
        <button type="button" class="button quiet" onClick={() => setDeletes(true)}>
          {s.signOut.deleteAll}
        </button>
      )}
      <button type="button" class="button quiet" onClick={() => onOpen(undefined)}>
        {t.cancel}
      </button>
    </Sheet>
  );
}

/** Those of which there is at least one, as "3 unsent messages and 1 draft". */
function list(...counted: [count: number, text: (count: number) => string][]): string {
  return counted.flatMap(([count, text]) => (count > 0 ? text(count) : [])).join(sheetTexts().signOut.and);
}

function warning({ hasPassword, hasRecoveryCode, lastDevice, user }: SignedIn): string {
  const s = sheetTexts();
  if (hasPassword === true) return s.signOut.safe;
  if (hasRecoveryCode === true) return s.signOut.safeByCode;
  if (hasPassword === undefined || lastDevice === undefined) return s.signOut.unsure;
  const name = shownName(user.name);
  return lastDevice ? s.signOut.forGood(name) : s.signOut.noPassword(name);
}
