/**
 * One screen of the app over a fake client: `?scene=` names it, `&language=zh` speaks Chinese. For the eye, and for trying
 * views without a server.
 */
import '../../../web/style/index.css';
import { render } from 'preact';
import { type Language, speak } from '../../../web/i18n/index.ts';
import { createCell } from '../../../web/state/cell.ts';
import { App } from '../../../web/view/App.tsx';
import { followKeyboard } from '../../../web/view/keyboard.ts';
import { createRouter } from '../../../web/view/router.ts';
import { fakeClient } from '../fakeClient.ts';
import { SCENES } from './scenes.ts';

const asked = new URLSearchParams(location.search);
const wanted = asked.get('scene') ?? 'live';
const scene = SCENES[wanted]!;
if (location.hash === '' && scene.hash) location.hash = scene.hash;
followKeyboard(window);

await speak((asked.get('language') ?? 'en') as Language);
const client = fakeClient(scene.start());
Object.assign(window, { client });
const update = { ready: createCell(scene.update === true), take: () => location.reload() };
render(<App world={{ client, update, router: createRouter(window) }} />, document.getElementById('app')!);
