/**
 * The setup for every measurement: the real server, a phone whose database has a room of 100,000 messages (and twenty smaller
 * rooms), and a network between them that can be cut.
 */
import type { BrowserContext, CDPSession, Page } from '@playwright/test';
import { type ApiClient, connectClient, signUp, text } from '../support/api.ts';
import { type Installation, startInstallation } from '../support/chromium.ts';
import { startProxy, type TcpProxy } from '../support/proxy.ts';
import { type ServerProcess, startServer } from '../support/serverProcess.ts';
import { temporaryFolder } from '../support/tmp.ts';
import budgets from './budgets.json' with { type: 'json' };
import { fillPhone } from './fillPhone.ts';
import { fillServer } from './fillServer.ts';
import { watch } from './watch.ts';

export interface Stage extends AsyncDisposable {
  readonly network: TcpProxy;
  readonly room: string;
  /** The browser's version. */
  readonly chromium: string;
  /** Another member of the room, with a good network. */
  readonly other: ApiClient;
  /** Starts a browser on the phone's storage, without an open page. */
  phone(): Promise<Installation>;
}

export async function setStage(): Promise<Stage> {
  await using parts = new AsyncDisposableStack();
  const storage = parts.use(await temporaryFolder());
  const server = parts.use(await startServer());
  const network = parts.use(await startProxy(server.port));
  const { room, chromium } = await fill(server, network.url, storage.path);
  const other = parts.use(await connectClient(server.url, await signUp(server.url, 'Bob')));
  const all = parts.move();
  return {
    network,
    room,
    chromium,
    other,
    async phone() {
      const phone = await startInstallation(storage.path, network.url);
      all.defer(phone.close);
      return phone;
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** Signs a user up in the page, then fills server and phone with years of messages. */
async function fill(server: ServerProcess, url: string, storage: string) {
  const phone = await startInstallation(storage, url);
  const me = await signUpInPage(phone.context);
  await server.stop();
  const filled = await fillServer(server.data, me, budgets.messagesStored);
  await server.start();
  const page = await phone.context.newPage();
  await openRoom(page, filled.room);
  await page.locator('.message').last().waitFor(); // the newest messages have loaded: the room and its members are known
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await page.close();
  await fillPhone(phone.context, me, filled);
  const chromium = phone.context.browser()?.version() ?? 'unknown';
  await phone.close();
  return { room: filled.room, chromium };
}

/** Resolves with the id of the user. */
export async function signUpInPage(context: BrowserContext): Promise<string> {
  const page = await context.newPage();
  await page.goto('/');
  await page.getByRole('textbox', { name: 'Your name' }).fill('Ada');
  const answered = page.waitForResponse((answer) => answer.url().endsWith('/api/session') && answer.ok());
  await page.getByRole('button', { name: 'Start chatting' }).click();
  const { user } = (await (await answered).json()) as { user: { id: string } };
  await page.getByRole('textbox', { name: 'Message' }).waitFor();
  await page.close();
  return user.id;
}

/** Opens the app at a room, as from a notification. */
export async function openRoom(page: Page, room: string): Promise<void> {
  await page.goto(`/#/room/${room}`);
}

/**
 * A page that is observed from its start, with CPU throttling. That slows only its main thread, as in the browser's developer
 * tools: not the service worker, not the browser's IndexedDB process, not the server.
 */
export async function watchedPage({ context }: Installation, slowdown: number): Promise<Page> {
  const page = context.pages()[0] ?? (await context.newPage());
  await page.addInitScript(watch);
  await slowDown(await context.newCDPSession(page), slowdown);
  return page;
}

/** The same, at the newest message of that room, online and idle. */
export async function livePage(stage: Stage, phone: Installation, slowdown: number): Promise<Page> {
  const page = await watchedPage(phone, slowdown);
  await openRoom(page, stage.room);
  await stage.other.append(text(HERE, stage.room));
  const newest = page.locator('.log').getByText(HERE).last();
  const pill = page.locator('.pill');
  await newest.or(pill).last().waitFor(); // it is live
  if (await pill.isVisible()) await pill.click(); // the room opens where the last measurement has left it
  await newest.waitFor();
  await page.evaluate(() => new Promise((done) => requestIdleCallback(done)));
  return page;
}

const HERE = 'Is anybody there?';

export async function slowDown(cdp: CDPSession, slowdown: number): Promise<void> {
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: slowdown });
}
