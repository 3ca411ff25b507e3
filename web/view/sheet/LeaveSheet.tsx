import { t } from '../../i18n/index.ts';
import { sentence } from '../../i18n/reason.ts';
import { inSheets } from '../../i18n/sheets.ts';
import type { RoomSummary } from '../../state/model.ts';
import { useWorld } from '../context.ts';
import { useAsk } from '../useAsk.ts';
import { Sheet } from './Sheet.tsx';

export function LeaveSheet({ room, onClose }: { room: RoomSummary; onClose(): void }) {
  const { client, router } = useWorld();
  const s = inSheets();
  const ask = useAsk();
  const leave = () =>
    ask.run(
      () => client.leaveRoom(room.id),
      () => {
        onClose();
        router.go({ tag: 'rooms' });
      },
    );
  return (
    <Sheet title={s.leave.title(room.name)} onClose={onClose}>
      <p>
        {s.leave.why} {room.waiting > 0 && s.leave.waiting(room.waiting)}
      </p>
      <p class="why" role="alert">
        {ask.reason && sentence(ask.reason, 'room')}
      </p>
      <button type="button" class="button danger" aria-busy={ask.busy} onClick={leave}>
        {s.leave.confirm}
      </button>
      <button type="button" class="button quiet" onClick={onClose}>
        {t.cancel}
      </button>
    </Sheet>
  );
}
