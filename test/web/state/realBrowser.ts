/** Whole clients in Node, for tests with a real server over real sockets. */
import 'fake-indexeddb/auto';
import { io } from 'socket.io-client';
import { afterEach } from 'vitest';
import { LOBBY } from '../../../shared/mint.ts';
import type { Channel } from '../../../web/db/changes.ts';
import { deviceClock } from '../../../web/db/clock.ts';
import { createClient } from '../../../web/state/client.ts';
import type { Client, ConversationState, SignedIn } from '../../../web/state/model.ts';
import { wake } from '../../../web/sw/wake.ts';
import type { RawSocket } from '../../../web/transport/socket.ts';
import type { RunningApp } from '../../support/app.ts';
import { waitFor } from '../../support/waitFor.ts';
import { createLocks } from './browser.ts';

export type Page = Client & { close(): void };

/** Closed after each test. */
export const open: { close(): void }[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

/** One browser: its database and its cookie outlive the pages. */
export function createBrowser(first: Pick<RunningApp, 'url'>) {
  let server = first;
  const indexedDB = new IDBFactory();
  const locks = createLocks();
  let cookie: string | undefined;
  const asked: string[] = [];
  const answered: string[] = [];
  const browser = {
    isOnline: true,
    /** How much its clock is ahead, in milliseconds. */
    clockAt: 0,
    /** The server has another address from now on. */
    reaches(next: Pick<RunningApp, 'url'>) {
      server = next;
    },
    indexedDB,
    /** The requests of all sockets. */
    asked,
    /** Those that were answered, in the order of the answers. */
    answered,
    openPage(): Page {
      const page = createClient({
        ...deps(),
        loadIo: async () => socket,
        background: undefined,
        page: { visible: true, online: true, listen: () => () => {} },
        painted: () => Promise.resolve(),
        persist() {},
        startsOffline: true,
        missing: undefined,
        pass: undefined,
      });
      open.push(page);
      return page;
    },
    wakeWorker: () => wake(deps()),
  };

  function deps() {
    return {
      indexedDB,
      clock: { ...deviceClock, now: () => deviceClock.now() + browser.clockAt },
      random: Math.random,
      randomBytes: (count: number) => crypto.getRandomValues(new Uint8Array(count)),
      fetch: fetchOf,
      locks: locks.forTab().manager,
      channel: (): Channel => ({ onmessage: null, postMessage() {}, close() {} }), // one page at a time
    };
  }

  function headersOf(): Record<string, string> {
    return { origin: server.url, ...(cookie !== undefined && { cookie }) };
  }

  const fetchOf: typeof fetch = async (path, init) => {
    if (!browser.isOnline) throw new TypeError('Failed to fetch');
    const headers = { ...(init?.headers as Record<string, string>), ...headersOf() };
    const response = await fetch(server.url + String(path), { ...init, headers });
    const [set] = response.headers.getSetCookie();
    if (set) cookie = set.split(';')[0];
    return response;
  };

  function socket(options: Record<string, unknown>): RawSocket {
    const url = browser.isOnline ? server.url : 'http://127.0.0.1:9';
    const raw = io(url, { ...options, extraHeaders: headersOf() });
    raw.onAnyOutgoing((event: string) => asked.push(event));
    const { emit } = raw;
    raw.emit = (event: string, ...args: unknown[]) => {
      const acknowledge = args.at(-1);
      if (typeof acknowledge !== 'function') return emit.call(raw, event, ...args);
      return emit.call(raw, event, ...args.slice(0, -1), (...answer: unknown[]) => {
        answered.push(event);
        acknowledge(...answer);
      });
    };
    return raw as unknown as RawSocket;
  }

  return browser;
}

/** The lobby as the page shows it, once it is read. */
export async function look(page: Page): Promise<() => ConversationState> {
  page.open(LOBBY);
  const conversation = page.conversation(LOBBY);
  conversation.subscribe(() => {});
  await waitFor('the room', () => !conversation.get().loading);
  return conversation.get;
}

export const bodies = ({ messages }: ConversationState) =>
  messages.map(({ content }) => (content.tag === 'text' ? content.body : content.tag));
export const numbered = (name: string, count: number) =>
  Array.from({ length: count }, (_, i) => `${name} ${i + 1}`);
export const inPage = (page: Page) =>
  waitFor('somebody is in', () =>
    page.app.get().tag === 'signed-in' ? page.app.get() : undefined,
  ) as Promise<SignedIn>;

/** The page once its user has signed up, and it is connected. */
export async function signedUpIn(browser: ReturnType<typeof createBrowser>, name: string) {
  const page = browser.openPage();
  await waitFor('signed out', () => page.app.get().tag === 'signed-out');
  const outcome = await page.signIn(name);
  if (!outcome.ok) throw new Error(`${name} could not sign up: ${outcome.reason.code}`);
  const { user } = await inPage(page);
  await isLive(page);
  return { page, user };
}

export function isLive(page: Page): Promise<unknown> {
  return waitFor('live', async () => (await inPage(page)).connection.tag === 'live');
}
