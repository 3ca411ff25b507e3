/** Replaces the composer in a room that was left, and shows problems of the device's storage above it. */
import { sentence, t } from '../../i18n/index.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { StorageState } from '../../state/model.ts';
import { useAsyncAction } from '../parts/useAsyncAction.ts';
import { useSignedIn, useWorld } from '../parts/world.ts';

/** The problem that keeps this device from storing messages (O4). */
export function StorageLine({ storage }: { storage: Exclude<StorageState, 'ok'> }) {
  const { client } = useWorld();
  const emptied = storage === 'emptied';
  return (
    <p class="line" role="alert">
      {sheetTexts().storage[storage]}
      <button type="button" onClick={client.retryStorage}>
        {emptied ? sheetTexts().storage.understood : t.storage.retry}
      </button>
    </p>
  );
}

/** Stands in place of the composer: in a room that was left, and in one in which only moderators write. */
export function ClosedRoom({ room }: { room: string }) {
  const isMember = useSignedIn(({ rooms }) => rooms.find(({ id }) => id === room)?.member === true);
  if (!isMember) return <LeftRoom room={room} />;
  return (
    <footer class="composer left">
      <p>{sheetTexts().editRoom.readOnly}</p>
    </footer>
  );
}

/** Such a room stays listed while own messages wait in it. */
function LeftRoom({ room }: { room: string }) {
  const { client } = useWorld();
  const action = useAsyncAction();
  const out = useSignedIn(({ rooms }) => rooms.find(({ id }) => id === room)?.out);
  const { reasons, exits } = sheetTexts();
  return (
    <footer class="composer left">
      <p>{out ? sentence({ code: out }, reasons.room) : t.rooms.left}</p>
      <p class="why" role="alert">
        {action.reason && sentence(action.reason, reasons.room)}
      </p>
      <button
        type="button"
        class="button small"
        aria-busy={action.busy}
        onClick={() => action.run(() => client.ask('joinRoom', room))}
      >
        {sheetTexts().joinAgain}
      </button>
      {out && (
        <button
          type="button"
          class="button small quiet"
          onClick={() => action.run(() => client.ask('forgetRoom', room))}
        >
          {exits.forget}
        </button>
      )}
    </footer>
  );
}
