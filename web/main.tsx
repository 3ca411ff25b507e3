/** The page's composition root: the client's heart, the views on it, and the service worker beside it. */
import './style/index.css';
import { options, render } from 'preact';
import { speak, wanted } from './i18n/index.ts';
import { createClient } from './state/client.ts';
import { browserDeps } from './state/deps.ts';
import { watchForUpdate } from './update.ts';
import { AppRoot } from './view/AppRoot.tsx';
import { followKeyboard } from './view/parts/keyboard.ts';
import { createRouter } from './view/parts/router.ts';

/** More than lie between a message that is shown and the box that is emptied. */
const MICROTASKS = 24;

followKeyboard(window);
renderOnceForAll();

const world = { client: createClient(browserDeps()), update: watchForUpdate(), router: createRouter(window) };
const route = world.router.route.get();
if (route.tag === 'room') world.client.open(route.id); // it is read while nothing is on the screen yet
const root = document.getElementById('app')!;

/** Only another language than English is waited for; without its texts the app speaks English rather than not at all. */
speak(wanted())
  .catch(() => {})
  .then(() => {
    root.replaceChildren(); // what stands there is for browsers that do not get this far
    render(<AppRoot world={world} />, root);
  });

/**
 * What changes in one go is rendered in one go. A tap changes the log, then the box, some microtasks after it; preact would
 * render, and lay out, for each. Still before the next event: that may be meant for what is rendered here.
 */
function renderOnceForAll(): void {
  options.debounceRendering = (render) => {
    let turns = MICROTASKS;
    const wait = (): unknown => (turns-- > 0 ? Promise.resolve().then(wait) : render());
    wait();
  };
}
