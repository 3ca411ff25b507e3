import { t } from '../../i18n/index.ts';
import { sentence } from '../../i18n/reason.ts';
import type { RoomSummary } from '../../state/model.ts';
import { useWorld } from '../context.ts';
import { useAsk } from '../useAsk.ts';
import { Sheet } from './Sheet.tsx';

export function LeaveSheet({ room, onClose }: { room: RoomSummary; onClose(): void }) {
  const { client, router } = useWorld();
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
    <Sheet title={t.leave.title(room.name)} onClose={onClose}>
      <p>
        {t.leave.why} {room.waiting > 0 && t.leave.waiting(room.waiting)}
      </p>
      <p class="why" role="alert">
        {ask.reason && sentence(ask.reason, 'room')}
      </p>
      <button type="button" class="button danger" aria-busy={ask.busy} onClick={leave}>
        {t.leave.confirm}
      </button>
      <button type="button" class="button quiet" onClick={onClose}>
        {t.cancel}
      </button>
    </Sheet>
  );
}
