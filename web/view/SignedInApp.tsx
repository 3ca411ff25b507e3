import { useLayoutEffect, useMemo, useState } from 'preact/hooks';
import { t } from '../i18n/index.ts';
import type { SignedIn } from '../state/model.ts';
import { createBoxes } from './box.ts';
import { Conversation } from './Conversation.tsx';
import { useWorld } from './context.ts';
import { Rooms } from './Rooms.tsx';
import type { Opened } from './sheet/Sheets.tsx';
import { useReadable } from './useReadable.ts';
import { useSheets } from './useSheets.ts';

/** The app of one user: their rooms, and the conversation that is open. On a phone one of the two, from 800 px both. */
export function SignedInApp({ app }: { app: SignedIn }) {
  const { client, router } = useWorld();
  const place = useReadable(router.place);
  const [opened, setOpened] = useState<Opened | undefined>();
  const sheets = useSheets(opened !== undefined);
  const boxes = useMemo(() => createBoxes(client), [client]);

  const id = place.tag === 'room' ? place.id : undefined;
  const room = app.rooms.find((one) => one.id === id);
  useLayoutEffect(() => client.open(id), [client, id]);
  useLayoutEffect(() => {
    document.title = room ? `${room.name} – ${t.app}` : t.app;
  }, [room?.name]);

  return (
    // Without an open room all of it is the main part: a phone shows the list alone. The element stays, what is in it too.
    <div class={id === undefined ? 'panes' : 'panes in-room'} role={id === undefined ? 'main' : undefined}>
      <Rooms app={app} here={id} onOpen={setOpened} />
      {id === undefined ? (
        <div class="pane nothing">
          <p>{t.rooms.pick}</p>
        </div>
      ) : (
        <Conversation key={id} id={id} room={room} app={app} boxes={boxes} onOpen={setOpened} />
      )}
      {opened && sheets && <sheets.Sheets opened={opened} app={app} onOpen={setOpened} />}
    </div>
  );
}
