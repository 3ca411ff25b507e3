/**
 * Tabs that can be frozen as a browser freezes them. Playwright keeps every page that it opens in focus, and then
 * freezing one is of no effect; in a browser that it only joins (`noDefaults`) pages are as they are.
 */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from '@playwright/test';
import { CHROMIUM_ARGS, findChromium, PHONE } from './chromium.ts';
import { waitFor } from './waitFor.ts';

export interface Tabs extends AsyncDisposable {
  /** One more on the same storage, in sight like the others: each has a window of its own. */
  open(url: string): Promise<Page>;
}

/** A Chromium with its storage in this folder. */
export async function startTabs(userDataDir: string): Promise<Tabs> {
  const { browser, end } = await startChromium(userDataDir);
  const context = browser.contexts()[0]!;
  const control = await browser.newBrowserCDPSession();
  await context.addInitScript(() => {
    Object.assign(window, { ticks: 0 });
    setInterval(() => window.ticks++, 20);
  });
  return {
    async open(url) {
      const page = await anotherWindow(context, () =>
        control.send('Target.createTarget', { url: 'about:blank', newWindow: true, ...PHONE.viewport }),
      );
      await page.goto(url);
      return page;
    },
    [Symbol.asyncDispose]: end,
  };
}

/** From now on nothing in it runs: it is hidden, told so, and stands still. */
export async function freeze(page: Page): Promise<void> {
  await lifecycle(page, 'frozen');
}

/** It goes on, and somebody looks at it. */
export async function thaw(page: Page): Promise<void> {
  const cdp = await lifecycle(page, 'active');
  const { windowId } = await cdp.send('Browser.getWindowForTarget');
  for (const windowState of ['minimized', 'normal'] as const) // freezing has hidden it, thawing does not show it
    await cdp.send('Browser.setWindowBounds', { windowId, bounds: { windowState } });
}

declare global {
  interface Window {
    ticks: number;
  }
}

/** How often a timer of 20 ms has rung in it: what stands still has none that do. */
export function ticksOf(page: Page): Promise<number> {
  return page.evaluate(() => window.ticks);
}

async function lifecycle(page: Page, state: 'frozen' | 'active') {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Page.setWebLifecycleState', { state });
  return cdp;
}

async function anotherWindow(context: BrowserContext, make: () => Promise<unknown>): Promise<Page> {
  const [page] = await Promise.all([context.waitForEvent('page'), make()]);
  return page;
}

async function startChromium(userDataDir: string): Promise<{ browser: Browser; end(): Promise<void> }> {
  const own = [
    `--user-data-dir=${userDataDir}`,
    '--remote-debugging-port=0',
    '--headless=new',
    '--lang=en-GB',
  ];
  const child = spawn(findChromium()!, [...CHROMIUM_ARGS, ...own, 'about:blank'], { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const end = async () => {
    child.kill('SIGKILL'); // its children end with it
    await ended;
  };
  try {
    const port = await waitFor('Chromium says where it listens', async () => {
      const said = await readFile(join(userDataDir, 'DevToolsActivePort'), 'utf8').catch(() => '');
      return /^(\d+)\n/.exec(said)?.[1];
    });
    return { browser: await chromium.connectOverCDP(`http://127.0.0.1:${port}`, { noDefaults: true }), end };
  } catch (error) {
    await end();
    throw error;
  }
}
