/** The composition root of the page: the client, the views, and the service worker. */
import './style/index.css';
import { options, render } from 'preact';
import { speak, wanted } from './i18n/index.ts';
import { createClient } from './state/client.ts';
import { browserDeps } from './state/deps.ts';
import { watchForUpdate } from './update.ts';
import { AppRoot } from './view/AppRoot.tsx';
import { followKeyboard } from './view/parts/keyboard.ts';
import { createRouter } from './view/parts/router.ts';

/** More microtasks than there are between showing a new message and emptying the composer. */
const MICROTASKS = 24;

followKeyboard(window);
coalesceRenders();

const world = { client: createClient(browserDeps()), update: watchForUpdate(), router: createRouter(window) };
const route = world.router.route.get();
if (route.tag === 'room') world.client.open(route.id); // its messages are read for the first paint
const root = document.getElementById('app')!;

/** Only texts of other languages than English have to be loaded. If that fails, the app is in English. */
speak(wanted())
  .catch(() => {})
  .then(() => {
    root.replaceChildren(); // index.html has a text for browsers that cannot run this
    render(<AppRoot world={world} />, root);
  });

/**
 * Coalesces renders. A tap changes the log and, some microtasks later, the composer; preact would render, and lay out,
 * for each. The render is still before the next event, which may be meant for what it shows.
 */
function coalesceRenders(): void {
  options.debounceRendering = (render) => {
    let turns = MICROTASKS;
    const wait = (): unknown => (turns-- > 0 ? Promise.resolve().then(wait) : render());
    wait();
  };
}
