import { useLayoutEffect, useMemo, useState } from 'preact/hooks';
import { t } from '../i18n/index.ts';
import type { SignedIn } from '../state/model.ts';
import { createComposerModels } from './composerModel.ts';
import { useReadable } from './parts/useReadable.ts';
import { useWorld } from './parts/world.ts';
import { RoomListPane } from './RoomListPane.tsx';
import { RoomPane } from './RoomPane.tsx';
import type { OpenSheet } from './sheet/Sheets.tsx';
import { useLazyViews } from './useLazyViews.ts';

/** The app of a signed-in user: the list of rooms and the open room. A phone shows one of them, from 800 px both are shown. */
export function SignedInApp({ app }: { app: SignedIn }) {
  const { client, router } = useWorld();
  const route = useReadable(router.route);
  const [openSheet, setOpenSheet] = useState<OpenSheet | undefined>();
  const lazy = useLazyViews(openSheet !== undefined);
  const models = useMemo(() => createComposerModels(client), [client]);

  const id = route.tag === 'room' ? route.id : undefined;
  const room = app.rooms.find((one) => one.id === id);
  useLayoutEffect(() => client.open(id), [client, id]);
  useLayoutEffect(() => {
    document.title = room ? `${room.name} – ${t.app}` : t.app;
  }, [room?.name]);

  return (
    // Without an open room this is the `main` landmark: a phone shows only the list then. It is always the same element, so
    // that nothing below it is mounted again.
    <div class={id === undefined ? 'panes' : 'panes in-room'} role={id === undefined ? 'main' : undefined}>
      <RoomListPane app={app} here={id} onOpen={setOpenSheet} />
      {id === undefined ? (
        <div class="pane nothing">
          <p>{t.rooms.pick}</p>
        </div>
      ) : (
        <RoomPane key={id} id={id} room={room} app={app} models={models} onOpen={setOpenSheet} />
      )}
      {openSheet && lazy && <lazy.Sheets open={openSheet} app={app} onOpen={setOpenSheet} />}
    </div>
  );
}
