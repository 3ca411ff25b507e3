import { roomName } from '../../i18n/index.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { RoomSummary } from '../../state/model.ts';
import { useAsyncAction } from '../parts/useAsyncAction.ts';
import { useWorld } from '../parts/world.ts';

/** Stands in place of the log of a direct conversation with somebody whom the user has blocked. */
export function BlockedRoom({ room }: { room: Pick<RoomSummary, 'id' | 'name' | 'with'> }) {
  const { client } = useWorld();
  const action = useAsyncAction();
  const s = sheetTexts().profile;
  const { with: id = '', name } = room;
  return (
    <section class="offer">
      <p>{s.blocked(roomName(room))}</p>
      <button
        type="button"
        class="button"
        aria-busy={action.busy}
        onClick={() => action.run(() => client.ask('block', { id, name }, false))}
      >
        {s.unblock}
      </button>
    </section>
  );
}
