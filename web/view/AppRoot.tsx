/** The root of the views: catches crashes, offers updates, and shows one screen for each state of the app. */
import type { ComponentChildren } from 'preact';
import { useEffect, useErrorBoundary, useLayoutEffect, useMemo, useState } from 'preact/hooks';
import { assertNever } from '../../shared/never.ts';
import { roomName, sentence, shownTimes, t } from '../i18n/index.ts';
import type { Reason } from '../records/errorReason.ts';
import type { AppState, SignedIn } from '../state/model.ts';
import { createComposerModels } from './composerModel.ts';
import { useReadable, useSelected, useSignedIn, useWorld, type World, WorldContext } from './parts/world.ts';
import { RoomListPane } from './RoomListPane.tsx';
import { RoomPane } from './RoomPane.tsx';
import { SignInScreen } from './SignInScreen.tsx';
import type { OpenSheet } from './sheet/Sheets.tsx';
import { useLazyViews } from './useLazyViews.ts';

export function AppRoot({ world }: { world: World }) {
  useReadable(shownTimes); // a change of language renders everything again and keeps all state
  return (
    <ErrorBoundary>
      <WorldContext.Provider value={world}>
        <UpdateBar />
        <Screen />
      </WorldContext.Provider>
    </ErrorBoundary>
  );
}

function Screen() {
  const app = useSelected(useWorld().client.app, (app) => (app.tag === 'signed-in' ? app.user.id : app));
  return typeof app === 'string' ? <SignedInApp key={app} /> : screenOf(app);
}

function screenOf(app: Exclude<AppState, SignedIn>) {
  switch (app.tag) {
    case 'starting': // the database is being read: for a few milliseconds an empty page is calmer than a spinner
      return null;
    case 'unsupported':
      return (
        <main class="plain">
          <h1>{t.unsupported.title}</h1>
          <p>{t.unsupported.why(app.missing)}</p>
        </main>
      );
    case 'storage':
      return <NoStorage reason={app.reason} />;
    case 'signed-out':
      return <SignInScreen />;
    default:
      return assertNever(app);
  }
}

/** The app of a signed-in user: the list of rooms and the open room. A phone shows one of them, from 800 px both are shown. */
function SignedInApp() {
  const { client, router } = useWorld();
  const route = useReadable(router.route);
  const [openSheet, setOpenSheet] = useState<OpenSheet | undefined>();
  const lazy = useLazyViews(openSheet !== undefined);
  const models = useMemo(() => createComposerModels(client), [client]);

  const wanted = route.tag === 'room' ? route.id : undefined;
  const [id, setId] = useState(wanted); // the room on the screen, until the wanted one is read
  const name = useSignedIn((app) => {
    const room = app.rooms.find((one) => one.id === id);
    return room && roomName(room);
  });
  useLayoutEffect(() => {
    let isLast = true;
    void client.open(wanted).then(() => isLast && setId(wanted));
    return () => {
      isLast = false;
    };
  }, [client, wanted]);
  useEffect(() => lazy?.offerPass(document), [lazy]);
  useLayoutEffect(() => {
    document.title = name === undefined ? t.app : `${name} – ${t.app}`;
  }, [name]);

  return (
    <>
      {lazy && <lazy.RequestsBar onOpen={setOpenSheet} />}
      {/* Without an open room this is the `main` landmark: a phone shows only the list then. It is always the same element, so
      that nothing below it is mounted again. */}
      <div class={id === undefined ? 'panes' : 'panes in-room'} role={id === undefined ? 'main' : undefined}>
        <RoomListPane here={wanted} onOpen={setOpenSheet} />
        {id === undefined ? (
          <div class="pane nothing">
            <p>{t.rooms.pick}</p>
          </div>
        ) : (
          <RoomPane key={id} id={id} models={models} onOpen={setOpenSheet} />
        )}
        {route.tag === 'join' && lazy && <lazy.JoinSheet key={route.id} invite={route.id} />}
        {openSheet && lazy && <lazy.Sheets open={openSheet} onOpen={setOpenSheet} />}
      </div>
    </>
  );
}

function NoStorage({ reason }: { reason: Reason }) {
  const { client, update } = useWorld();
  return (
    <main class="plain">
      <h1>{t.storage.cannotOpen}</h1>
      <p>{sentence(reason, 'storage')}</p>
      {reason.code === 'upgrade-required' ? (
        <button type="button" class="button" onClick={update.take}>
          {t.update.take}
        </button>
      ) : (
        <button type="button" class="button" onClick={client.retryStorage}>
          {t.storage.retry}
        </button>
      )}
    </main>
  );
}

/** Offers a new build; it is installed only when the user taps. */
function UpdateBar() {
  const { update } = useWorld();
  if (!useReadable(update.ready)) return null;
  return (
    <aside class="update">
      <span>{t.update.ready}</span>
      <button type="button" class="button small" onClick={update.take}>
        {t.update.take}
      </button>
    </aside>
  );
}

/** Shows a message when a view crashes. Nothing is lost by that: what was written is in the database (O4). */
function ErrorBoundary({ children }: { children: ComponentChildren }) {
  const [error] = useErrorBoundary((crash) => console.error(crash));
  if (!error) return <>{children}</>;
  return (
    <main class="plain">
      <h1>{t.broken.title}</h1>
      <p>{t.broken.why}</p>
      <button type="button" class="button" onClick={() => location.reload()}>
        {t.broken.reload}
      </button>
    </main>
  );
}
