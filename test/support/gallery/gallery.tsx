/** One screen of the app over a fake client: `?scene=` names it. For the eye, and for trying views without a server. */
import '../../../web/style/index.css';
import { render } from 'preact';
import { createCell } from '../../../web/state/cell.ts';
import { App } from '../../../web/view/App.tsx';
import { followKeyboard } from '../../../web/view/keyboard.ts';
import { createRouter } from '../../../web/view/router.ts';
import { fakeClient } from '../fakeClient.ts';
import { SCENES } from './scenes.ts';

const wanted = new URLSearchParams(location.search).get('scene') ?? 'live';
const scene = SCENES[wanted]!;
if (location.hash === '' && scene.hash) location.hash = scene.hash;
followKeyboard(window);

const client = fakeClient(scene.start());
Object.assign(window, { client });
const update = { ready: createCell(scene.update === true), take: () => location.reload() };
render(<App world={{ client, update, router: createRouter(window) }} />, document.getElementById('app')!);
