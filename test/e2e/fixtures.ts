/** What a browser test begins with: a server of its own, a network in front of it that can fail, and people. */
import { type BrowserContext, test as base, expect, type Page } from '@playwright/test';
import { startInstallation } from '../support/chromium.ts';
import { type MongoServer, startMongo } from '../support/mongo/index.ts';
import { startProxy, type TcpProxy } from '../support/proxy.ts';
import { type ServerProcess, startServer } from '../support/serverProcess.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/tmp.ts';

interface WorkerFixtures {
  /** What the server keeps its log in: playwright.config.ts runs what is tagged BOTH on each. */
  store: 'sqlite' | 'mongo';
  /** Started once for all tests of a worker; each has a database of its own in it. */
  mongo: MongoServer | undefined;
}

interface Fixtures {
  server: ServerProcess;
  /** In front of the server. Whoever is to lose their network opens the app through it. */
  network: TcpProxy;
  /** A phone with the app open at this address, nobody signed in. */
  phone(url: string): Promise<Page>;
  /** A folder for the browser of a phone that is killed and started again. */
  storage: TemporaryFolder;
}

/** For a test that is to hold whatever the log is kept in. */
export const BOTH = { tag: '@both' };

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
      await page.goto('/');
      return page;
    });
    await Promise.all(contexts.map((context) => context.close()));
  },
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixtures that are needed off this pattern
  storage: async ({}, use) => {
    await using folder = await temporaryFolder();
    await use(folder);
  },
});

export { expect, startInstallation };

/** Types a name into the first screen and is in the lobby. */
export async function signUp(page: Page, name: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Your name' }).fill(name);
  await page.getByRole('button', { name: 'Start chatting' }).click();
  await expect(composer(page)).toBeVisible();
}

/** The same with the name and password of somebody there is. */
export async function signIn(page: Page, name: string, password: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Your name' }).fill(name);
  await page.getByRole('button', { name: 'Start chatting' }).click();
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Start chatting' }).click();
  await page.getByRole('link', { name: /lobby/i }).click();
  await expect(composer(page)).toBeVisible();
}

export function composer(page: Page) {
  return page.getByRole('textbox', { name: 'Message' });
}

/** Resolves when the app has taken it: the composer is empty again, and the message is on the screen. */
export async function say(page: Page, body: string): Promise<void> {
  await composer(page).fill(body);
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await expect(composer(page)).toHaveValue('');
  await expect(message(page, body)).toBeVisible();
}

/** The message in the log that says exactly this. */
export function message(page: Page, body: string) {
  return page
    .getByRole('log')
    .locator('.message')
    .filter({ has: page.getByText(body, { exact: true }) });
}

/** The state of one's own message, as it is readable. */
export async function expectState(page: Page, body: string, state: string): Promise<void> {
  await expect(message(page, body).getByText(state, { exact: true })).toBeAttached();
}

/** The bodies in the log as the document has them, top to bottom. */
export function bodies(page: Page): Promise<string[]> {
  return page.getByRole('log').locator('.message .body').allTextContents();
}

/** All of these are there, once each and in this order, whatever else is. */
export async function expectInOrder(page: Page, expected: readonly string[]): Promise<void> {
  await expect
    .poll(async () => (await bodies(page)).filter((body) => expected.includes(body)), { timeout: 30_000 })
    .toEqual(expected);
}
