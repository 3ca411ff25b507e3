import { roomName, sentence, t } from '../../i18n/index.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { RoomSummary } from '../../state/model.ts';
import { useAsyncAction } from '../parts/useAsyncAction.ts';
import { useWorld } from '../parts/world.ts';
import { afterClosing, Sheet } from './Sheet.tsx';

/** Confirms leaving a room. */
export function LeaveSheet({ room, onClose }: { room: RoomSummary; onClose(): void }) {
  const { client, router } = useWorld();
  const s = sheetTexts();
  const action = useAsyncAction();
  const leave = () =>
    action.run(
      () => client.ask('leaveRoom', room.id),
      () => {
        onClose();
        afterClosing(() => router.go({ tag: 'rooms' }));
      },
    );
  return (
    <Sheet title={s.leave.title(roomName(room))} onClose={onClose}>
      <p>
        {s.leave.why} {room.waiting > 0 && s.leave.waiting(room.waiting)}
      </p>
      <p class="why" role="alert">
        {action.reason && sentence(action.reason)}
      </p>
      <button type="button" class="button danger" aria-busy={action.busy} onClick={leave}>
        {s.leave.confirm}
      </button>
      <button type="button" class="button quiet" onClick={onClose}>
        {t.cancel}
      </button>
    </Sheet>
  );
}
