/** Fixtures of the browser tests: a server, a network in front of it that can fail, and phones. */
import { type BrowserContext, test as base, expect, type Page } from '@playwright/test';
import { firstRows, isTall } from '../../web/view/folded.ts';
import { startInstallation } from '../support/chromium.ts';
import { type MongoServer, startMongo } from '../support/mongo/index.ts';
import { startProxy, type TcpProxy } from '../support/proxy.ts';
import { type ServerProcess, startServer } from '../support/serverProcess.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/tmp.ts';

interface WorkerFixtures {
  /** The store of the server. playwright.config.ts runs tests with the tag BOTH on each. */
  store: 'sqlite' | 'mongo';
  /** Started once per worker; each test has its own database in it. */
  mongo: MongoServer | undefined;
}

interface Fixtures {
  server: ServerProcess;
  /** A proxy in front of the server, for tests that break the network. */
  network: TcpProxy;
  /** A phone with the app open at this URL, not signed in. */
  phone(url: string): Promise<Page>;
  /** A folder for the profile of a browser that is killed and restarted. */
  storage: TemporaryFolder;
}

/** TEST_CPU_RATE=8: pages are eight times as slow, which shows what depends on the machine's speed. */
const CPU_RATE = Number(process.env.TEST_CPU_RATE ?? 1);

/** Runs a test on both stores: only where the store does more than acknowledge texts (docs/DECISIONS.md). */
export const BOTH = { tag: '@both' };

/** Nothing runs beside a test that holds a promise in seconds: on two cores, three at a time take 2.3 to 2.9 s in place of 2.1. */
export const ALONE = { tag: '@alone' };

export const test = base.extend<Fixtures, WorkerFixtures>({
  store: ['sqlite', { scope: 'worker', option: true }],
  mongo: [
    async ({ store }, use) => {
      if (store === 'sqlite') return use(undefined);
      await using mongo = await startMongo();
      await use(mongo);
    },
    { scope: 'worker' },
  ],
  server: async ({ mongo }, use, info) => {
    const env: Record<string, string> = mongo ? { MONGODB_URL: mongo.anotherUrl() } : {};
    const server = await startServer({ env });
    await use(server);
    if (info.status !== info.expectedStatus) await info.attach('server.log', { body: server.logs() });
    await server.dispose();
  },
  network: async ({ server }, use) => {
    await using network = await startProxy(server.port);
    await use(network);
  },
  phone: async ({ browser, contextOptions }, use, info) => {
    const contexts: BrowserContext[] = [];
    await use(async (url) => {
      const context = await browser.newContext({ ...contextOptions, baseURL: url });
      contexts.push(context);
      const page = await context.newPage();
      const told: string[] = [];
      page.on('console', (message) => told.push(`${message.type()}: ${message.text()}`));
      page.on('pageerror', (error) => told.push(`error: ${error.stack}`));
      page.on('close', () => info.attach('console.txt', { body: told.join('\n') }));
      if (CPU_RATE > 1)
        await (await context.newCDPSession(page)).send('Emulation.setCPUThrottlingRate', { rate: CPU_RATE });
      await page.goto(url);
      return page;
    });
    await Promise.all(contexts.map((context) => context.close()));
  },
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the required fixtures from this pattern
  storage: async ({}, use) => {
    await using folder = await temporaryFolder();
    await use(folder);
  },
});

export { expect, startInstallation };

/** Signs up on the first screen; resolves in the lobby. */
export async function signUp(page: Page, name: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Your name' }).fill(name);
  await page.getByRole('button', { name: 'Start chatting' }).click();
  await expect(composer(page)).toBeVisible();
}

/** Signs in an existing user with a password; resolves in the lobby. */
export async function signIn(page: Page, name: string, password: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Your name' }).fill(name);
  await page.getByRole('button', { name: 'Start chatting' }).click();
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Start chatting' }).click();
  await page.getByRole('link', { name: /lobby/i }).click();
  await expect(composer(page)).toBeVisible();
}

/**
 * Resolves once the service worker has all files of the page. Before that, a page without a network does not load, and
 * has only the chunks that it has fetched already.
 */
export function canStartOffline(page: Page): Promise<void> {
  return page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
}

export function composer(page: Page) {
  return page.getByRole('textbox', { name: 'Message' });
}

/** Sends a message; resolves when the composer is empty again and the message is shown. */
export async function say(page: Page, body: string): Promise<void> {
  await composer(page).fill(body);
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await expect(composer(page)).toHaveValue('');
  await expect(message(page, body)).toBeVisible();
}

/** The message in the log with exactly this text. */
export function message(page: Page, body: string) {
  return page
    .getByRole('log')
    .locator('.message')
    .filter({ has: page.getByText(shownOf(body), { exact: true }) });
}

/** Expects the delivery status of an own message, by its text. */
export async function expectState(page: Page, body: string, state: string): Promise<void> {
  await expect(message(page, body).getByText(state, { exact: true })).toBeAttached();
}

/** Of a tall message its first rows show. */
function shownOf(body: string): string {
  return isTall(body) ? firstRows(body) : body;
}

/** The texts in the log, top to bottom. */
export function bodies(page: Page): Promise<string[]> {
  return page.getByRole('log').locator('.message .body').allTextContents();
}

/** Expects all of these texts, each once and in this order; others may be between them. */
export async function expectInOrder(page: Page, expected: readonly string[]): Promise<void> {
  const shown = expected.map(shownOf);
  await expect
    .poll(async () => (await bodies(page)).filter((body) => shown.includes(body)), { timeout: 30_000 })
    .toEqual(shown);
}

/** Opens the menu of a message with the right button of a mouse. */
export async function rightClick(page: Page, body: string): Promise<void> {
  await messagesHaveMenus(page);
  await message(page, body).click({ button: 'right' });
}

/** Their chunk comes after the first paint, together with the line that says who is typing. */
async function messagesHaveMenus(page: Page): Promise<void> {
  await expect(page.locator('p.typing')).toBeAttached();
}

/** With one finger on a message, until its menu is open. */
export async function longPress(page: Page, body: string): Promise<void> {
  await messagesHaveMenus(page);
  const box = (await message(page, body).boundingBox())!;
  const touchPoints = [{ x: box.x + 20, y: box.y + box.height / 2 }];
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints });
  await expect(page.getByRole('menu')).toBeVisible();
  await cdp.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  await expect(page.getByRole('menu')).toBeVisible(); // lifting the finger does not activate an item
}
