import { useEffect, useState } from 'preact/hooks';
import type { User } from '../../../shared/protocol/index.ts';
import { sentence, times } from '../../i18n/index.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { DeviceSummary } from '../../state/model.ts';
import { useAsyncAction } from '../parts/useAsyncAction.ts';
import { useConnections } from '../parts/useIsLive.ts';
import { useWorld } from '../parts/world.ts';
import { Sheet } from './Sheet.tsx';

/** Where the user is signed in, or for keepers another person, with a button to sign out each other device. */
export function DevicesSheet({ person, onClose }: { person?: User; onClose(): void }) {
  const { client } = useWorld();
  const s = sheetTexts().devices;
  const [devices, setDevices] = useState<DeviceSummary[] | undefined>();
  const list = useAsyncAction();
  const connections = useConnections();
  const removal = useAsyncAction();
  useEffect(() => {
    list.run(
      async () => (person ? (await client.keepers()).devicesOf(person.id) : (await client.devices()).list()),
      (answer) => setDevices(answer.devices ?? []),
    );
  }, [connections]);

  const reason = removal.reason ?? list.reason;
  const now = Date.now();
  return (
    <Sheet title={person ? s.titleOf(person.name) : s.title} onClose={onClose}>
      <p class="why" role="alert">
        {reason && sentence(reason)}
      </p>
      {list.busy && <p>{s.looking}</p>}
      <ul class="public">
        {devices?.map(({ id, createdAt, seenAt, current }) => (
          <li key={id} class="room">
            <span class="what">
              <span class="name">{s.since(times.recent(createdAt, now))}</span>
              <span class="last">{current ? s.current : s.used(times.recent(seenAt, now))}</span>
            </span>
            {!current && (
              <button
                type="button"
                class="button small"
                aria-label={s.signOutOne(times.recent(createdAt, now))}
                aria-busy={removal.busy}
                onClick={() =>
                  removal.run(
                    async () =>
                      person
                        ? (await client.keepers()).signOutDevice(person.id, id)
                        : (await client.devices()).signOut(id),
                    () => setDevices(devices.filter((device) => device.id !== id)),
                  )
                }
              >
                {s.signOut}
              </button>
            )}
          </li>
        ))}
      </ul>
    </Sheet>
  );
}
