/**
 * Shows one screen of the app with a fake client: `?scene=NAME`, with `&language=zh` in Chinese. For looking at views without
 * a server, and for axe, which changes the scene by `window.show` and the language by `window.speak`.
 */
import '../../../web/style/index.css';
import '../../../web/view/lazyViews.ts'; // loaded from the start, so that a scene is complete at once
import { render } from 'preact';
import { type Language, speak } from '../../../web/i18n/index.ts';
import { createCell } from '../../../web/records/cell.ts';
import { AppRoot } from '../../../web/view/AppRoot.tsx';
import { followKeyboard } from '../../../web/view/parts/keyboard.ts';
import { createRouter } from '../../../web/view/parts/router.ts';
import { fakeClient } from '../fakeClient.ts';
import { SCENES } from './scenes.ts';

async function show(name: string, language: Language): Promise<void> {
  const scene = SCENES[name]!;
  const root = document.getElementById('app')!;
  render(null, root);
  location.hash = scene.hash ?? '#/';
  await speak(language);
  const client = fakeClient(scene.start());
  Object.assign(window, { client });
  const update = { ready: createCell(scene.update === true), take: () => location.reload() };
  render(<AppRoot world={{ client, update, router: createRouter(window) }} />, root);
}

followKeyboard(window);
Object.assign(window, { show, speak });
const asked = new URLSearchParams(location.search);
await show(asked.get('scene') ?? 'live', (asked.get('language') ?? 'en') as Language);
