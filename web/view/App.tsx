import { assertNever } from '../../shared/never.ts';
import { language, t } from '../i18n/index.ts';
import { sentence } from '../i18n/reason.ts';
import type { AppState, Reason } from '../state/model.ts';
import { Boundary } from './Boundary.tsx';
import { useWorld, type World, WorldContext } from './context.ts';
import { Hello } from './Hello.tsx';
import { SignedInApp } from './SignedInApp.tsx';
import { UpdateBar } from './UpdateBar.tsx';
import { useReadable } from './useReadable.ts';

export function App({ world }: { world: World }) {
  useReadable(language); // what is written below is written again, and nothing of it begins anew
  return (
    <Boundary>
      <WorldContext.Provider value={world}>
        <UpdateBar />
        <Screen />
      </WorldContext.Provider>
    </Boundary>
  );
}

function Screen() {
  const app = useReadable(useWorld().client.app);
  return screenOf(app);
}

function screenOf(app: AppState) {
  switch (app.tag) {
    case 'starting': // the database is being read: a few milliseconds of paper are calmer than anything moving
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
      return <Hello />;
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
