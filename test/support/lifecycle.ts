/**
 * Tabs that can be frozen as a browser freezes background tabs. Playwright emulates focus for every page that it opens, and a
 * focused page is not frozen; when it connects to a running browser with `noDefaults`, it does not.
 */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from '@playwright/test';
import { CHROMIUM_ARGS, findChromium, PHONE } from './chromium.ts';
import { waitFor } from './waitFor.ts';

export interface Tabs extends AsyncDisposable {
  /** Opens another tab on the same storage. Each has its own window, so that all are visible. */
  open(url: string): Promise<Page>;
}

/** Starts a Chromium with its storage in this folder. */
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

/** Freezes the page: it becomes hidden, receives `freeze`, and its tasks stop. */
export async function freeze(page: Page): Promise<void> {
  await lifecycle(page, 'frozen');
}

/** Resumes the page and makes it visible. */
export async function thaw(page: Page): Promise<void> {
  const cdp = await lifecycle(page, 'active');
  const { windowId } = await cdp.send('Browser.getWindowForTarget');
  for (const windowState of ['minimized', 'normal'] as const) // freezing hides the window, resuming does not show it
    await cdp.send('Browser.setWindowBounds', { windowId, bounds: { windowState } });
}

declare global {
  interface Window {
    ticks: number;
  }
}

/** How often a timer of 20 ms has fired in the page. In a frozen page it does not grow. */
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
    child.kill('SIGKILL'); // its child processes end with it
    await ended;
  };
  try {
    const port = await waitFor('Chromium reports its port', async () => {
      const said = await readFile(join(userDataDir, 'DevToolsActivePort'), 'utf8').catch(() => '');
      return /^(\d+)\n/.exec(said)?.[1];
    });
    return { browser: await chromium.connectOverCDP(`http://127.0.0.1:${port}`, { noDefaults: true }), end };
  } catch (error) {
    await end();
    throw error;
  }
}
