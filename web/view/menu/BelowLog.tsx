/** What stands in the place of the composer, or above it, in rooms and on devices where not all is well. */
import { t } from '../../i18n/index.ts';
import { sentence } from '../../i18n/reason.ts';
import { inSheets } from '../../i18n/sheets.ts';
import type { StorageState } from '../../state/model.ts';
import { useWorld } from '../context.ts';
import { useAsk } from '../useAsk.ts';

/** Whether this device takes what is written (O4). */
export function StorageLine({ storage }: { storage: Exclude<StorageState, 'ok'> }) {
  const { client } = useWorld();
  const emptied = storage === 'emptied';
  return (
    <p class="line" role="alert">
      {emptied ? inSheets().storage.emptied : t.storage[storage]}
      <button type="button" onClick={client.retryStorage}>
        {emptied ? inSheets().storage.understood : t.storage.retry}
      </button>
    </p>
  );
}

/** A room that was left: it is still there while something of one's own waits in it. */
export function LeftRoom({ room }: { room: string }) {
  const { client } = useWorld();
  const ask = useAsk();
  return (
    <footer class="composer left">
      <p>{t.rooms.left}</p>
      <p class="why" role="alert">
        {ask.reason && sentence(ask.reason, 'room')}
      </p>
      <button
        type="button"
        class="button small"
        aria-busy={ask.busy}
        onClick={() => ask.run(() => client.joinRoom(room))}
      >
        {t.rooms.joinAgain}
      </button>
    </footer>
  );
}
