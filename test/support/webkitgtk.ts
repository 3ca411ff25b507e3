/**
 * WebKitGTK, the engine of Safari on a Linux machine: MiniBrowser, driven by WebKitWebDriver, on a screen of Xvfb.
 *
 * What it has, seen in 2.50: service workers and starting offline, Web Locks with `steal` and `query`, BroadcastChannel,
 * IndexedDB that says `strict`. It lacks Background Sync, `freeze` and `resume`, and `navigator.connection`. An automated
 * session is ephemeral: storage, worker and cookies last as long as the browser and no longer, so a restart means here
 * that all tabs are closed. Each window is a process of its own.
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
        // As root, and in most containers, there are no namespaces to build it from. It loads our own page only.
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
    // The window that the session began with stays: it would end with its last one.
    return { name: 'WebKitGTK', open: tabs.open, restart: tabs.closeAll, dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Xvfb takes the first that is free, and says which once it can be used. */
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
