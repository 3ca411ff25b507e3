/**
 * WebKitGTK, the engine of Safari on Linux: MiniBrowser, driven by WebKitWebDriver, on a virtual screen (Xvfb).
 *
 * Features, as of 2.50: service workers and starting offline, Web Locks with `steal` and `query`, BroadcastChannel,
 * IndexedDB with `strict` durability. Missing: Background Sync, `freeze` and `resume`, `navigator.connection`. An automated
 * session is ephemeral: storage, worker and cookies end with the browser. So `restart` only closes all tabs. Each window is
 * a process of its own.
 */
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import type { Browser } from '../otherBrowsers/browser.ts';
import { freePort } from './mongo/port.ts';
import { type ProcessGroup, startGroup } from './processGroup.ts';
import { findWebKit } from './setup/webkit.ts';
import { openTabs } from './tabs.ts';
import { temporaryFolder } from './tmp.ts';
import { waitFor } from './waitFor.ts';
import { isReady, newSession } from './webdriver.ts';

const PROCESS_OF_A_WINDOW = 'WebKitWebProces';

export async function startWebKitGtk(): Promise<Browser> {
  const found = findWebKit();
  if (found === undefined) throw new Error('no WebKitGTK: run `npm test`, which sets it up');
  const home = await temporaryFolder();
  const groups: ProcessGroup[] = [];
  const dispose = async () => {
    for (const group of groups.reverse()) await group.kill9();
    await home.remove();
  };
  try {
    const screen = startGroup(
      found.xvfb,
      ['-displayfd', '3', '-screen', '0', '800x900x24', '-nolisten', 'tcp'],
      {
        stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      },
    );
    groups.push(screen);
    const port = await freePort();
    const driver = startGroup(found.driver, ['--host=127.0.0.1', `--port=${port}`], {
      env: {
        PATH: process.env.PATH,
        HOME: home.path,
        LANG: 'C.UTF-8',
        DISPLAY: await displayOf(screen),
        NO_AT_BRIDGE: '1',
        LIBGL_ALWAYS_SOFTWARE: '1',
        // Root, and most containers, cannot create the namespaces of the sandbox. The browser loads only our own page.
        WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1',
      },
    });
    groups.push(driver);
    const url = `http://127.0.0.1:${port}`;
    await waitFor('WebKitWebDriver answers', () => {
      driver.check();
      return isReady(url);
    });
    const session = await newSession(url, {
      'webkitgtk:browserOptions': { binary: found.browser, args: ['--automation'] },
    });
    const tabs = openTabs(
      () => driver.named(PROCESS_OF_A_WINDOW),
      () => session.openWindow(),
    );
    // The first window stays open: the session would end with its last window.
    return { name: 'WebKitGTK', open: tabs.open, restart: tabs.closeAll, dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Xvfb picks the first free display and prints its number when it is ready. */
async function displayOf(screen: ProcessGroup): Promise<string> {
  const said = screen.child.stdio[3] as Readable;
  const [number] = await Promise.race([
    once(said, 'data'),
    once(screen.child, 'close').then(() => {
      screen.check();
      return [];
    }),
  ]);
  return `:${String(number).trim()}`;
}
