/** The root of the views: catches crashes, offers updates, and shows one screen for each state of the app. */
import type { ComponentChildren } from 'preact';
import { useErrorBoundary } from 'preact/hooks';
import { assertNever } from '../../shared/never.ts';
import { language, sentence, t } from '../i18n/index.ts';
import type { AppState, Reason } from '../state/model.ts';
import { useReadable } from './parts/useReadable.ts';
import { useWorld, type World, WorldContext } from './parts/world.ts';
import { SignedInApp } from './SignedInApp.tsx';
import { SignInScreen } from './SignInScreen.tsx';

export function AppRoot({ world }: { world: World }) {
  useReadable(language); // what is written below is written again, and nothing of it begins anew
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
  const app = useReadable(useWorld().client.app);
  return screenOf(app);
}

function screenOf(app: AppState) {
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
    case 'hello':
      return <SignInScreen />;
    case 'in':
      return <SignedInApp key={app.user.id} app={app} />;
    default:
      return assertNever(app);
  }
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
