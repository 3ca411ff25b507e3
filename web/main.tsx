/** The page's composition root: the client's heart, the views on it, and the service worker beside it. */
import './style/index.css';
import { render } from 'preact';
import { speak, wanted } from './i18n/index.ts';
import { createClient } from './state/client.ts';
import { browserDeps } from './state/deps.ts';
import { watchForUpdate } from './update.ts';
import { App } from './view/App.tsx';
import { followKeyboard } from './view/keyboard.ts';
import { createRouter } from './view/router.ts';

followKeyboard(window);

const world = { client: createClient(browserDeps()), update: watchForUpdate(), router: createRouter(window) };
const root = document.getElementById('app')!;

/** Only another language than English is waited for; without its texts the app speaks English rather than not at all. */
speak(wanted())
  .catch(() => {})
  .then(() => {
    root.replaceChildren(); // what stands there is for browsers that do not get this far
    render(<App world={world} />, root);
  });
