/** A browser for a client, without a browser: its storage outlives the tabs, and everything is driven by hand. */
import 'fake-indexeddb/auto';
import type { Channel } from '../../../web/db/changes.ts';
import { createClient } from '../../../web/state/client.ts';
import type { Deps } from '../../../web/state/deps.ts';
import type { AppState, Client, ConversationState, SignedIn } from '../../../web/state/model.ts';
import type { BrowserEvent } from '../../../web/transport/browser.ts';
import { createFakeClock, type FakeClock } from '../db/fakeClock.ts';
import { until } from '../db/until.ts';
import { type ModelServer, mint } from './modelServer.ts';

export interface Tab {
  client: Client & { close(): void };
  clock: FakeClock;
  /** What the browser says. */
  says(event: BrowserEvent): void;
  app(): AppState;
  signedIn(): SignedIn;
  /** Looks at the room from now on. */
  look(room: string): void;
  conversation(room: string): ConversationState;
  /** Bodies with their states, as a person reads them. */
  read(room: string): string[];
  /** Lets time pass in small steps, with everything that it brings about, until it is so. */
  untilPassing(what: string, isSo: () => boolean): Promise<void>;
  untilLive(): Promise<void>;
  /** The tab is gone without a word. */
  kill(): void;
}

export interface Browser {
  indexedDB: IDBFactory;
  persisted: number;
  openTab(changes?: Partial<Deps>): Tab;
}

export function createBrowser(server: ModelServer): Browser {
  const channels = new Map<string, Set<Channel>>();
  const browser: Browser = { indexedDB: new IDBFactory(), persisted: 0, openTab };
  const locks = createLocks();

  function channel(name: string): Channel {
    const all = channels.get(name) ?? new Set();
    channels.set(name, all);
    const own: Channel = {
      onmessage: null,
      postMessage(message) {
        const data = structuredClone(message);
        for (const other of all) if (other !== own) queueMicrotask(() => other.onmessage?.({ data }));
      },
      close: () => void all.delete(own),
    };
    all.add(own);
    return own;
  }

  function openTab(changes: Partial<Deps> = {}): Tab {
    const clock = createFakeClock();
    const listeners = new Set<(event: BrowserEvent) => void>();
    const held = locks.forTab();
    const client = createClient({
      indexedDB: browser.indexedDB,
      clock,
      random: () => 0.5,
      randomBytes: (count) => Uint8Array.from({ length: count }, (_, i) => mint().charCodeAt(i + 1)),
      fetch: server.fetch,
      loadIo: async () => server.io,
      locks: held.manager,
      channel,
      page: {
        visible: true,
        online: true,
        listen(listener) {
          listeners.add(listener);
          return () => void listeners.delete(listener);
        },
      },
      persist: () => void browser.persisted++,
      startsOffline: true,
      missing: undefined,
      ...changes,
    });
    const tab: Tab = {
      client,
      clock,
      says: (event) => {
        for (const listener of listeners) listener(event);
      },
      app: () => client.app.get(),
      signedIn() {
        const state = client.app.get();
        if (state.tag !== 'in') throw new Error(`nobody is in: ${state.tag}`);
        return state;
      },
      look: (room) => void client.conversation(room).subscribe(() => {}),
      conversation: (room) => client.conversation(room).get(),
      read: (room) =>
        tab.conversation(room).messages.map(({ content, status }) => {
          const body = content.tag === 'text' ? content.body : content.tag;
          return status.tag === 'sent' ? body : `${body} (${status.tag})`;
        }),
      async untilPassing(what, isSo) {
        let turn = 0;
        await until(what, () => {
          if (!isSo() && turn++ % 10 === 9) clock.pass(50);
          return isSo();
        });
      },
      untilLive: () =>
        tab.untilPassing('live', () => tab.app().tag === 'in' && tab.signedIn().connection.tag === 'live'),
      kill() {
        client.close();
        held.releaseAll();
      },
    };
    return tab;
  }

  return browser;
}

/** Web Locks of one origin, as far as the client uses them. */
function createLocks() {
  const queue: { tab: number; run: () => Promise<unknown>; signal: AbortSignal | undefined }[] = [];
  let holder: number | undefined;
  let tabs = 0;

  function next() {
    const first = holder === undefined ? queue.shift() : undefined;
    if (!first) return;
    if (first.signal?.aborted) return next();
    holder = first.tab;
    const release = () => {
      if (holder === first.tab) holder = undefined;
      next();
    };
    first.run().then(release, release);
  }

  return {
    forTab() {
      const tab = ++tabs;
      const request = (
        _: string,
        options: { signal?: AbortSignal; ifAvailable?: boolean },
        held: (lock: unknown) => unknown,
      ) => {
        if (options.ifAvailable && (holder !== undefined || queue.length > 0))
          return Promise.resolve(held(null));
        return new Promise((resolve, reject) => {
          queue.push({
            tab,
            signal: options.signal,
            run: () => Promise.resolve(held({})).then(resolve, reject),
          });
          queueMicrotask(next);
        });
      };
      return {
        manager: { request } as unknown as LockManager,
        releaseAll() {
          if (holder === tab) holder = undefined;
          next();
        },
      };
    },
  };
}

/** Everything that an IndexedDB holds in a store, past the client. */
export function readAll(indexedDB: IDBFactory, database: string, store: string): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(database);
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const reading = opening.result.transaction(store).objectStore(store).getAll();
      reading.onsuccess = () => {
        opening.result.close();
        resolve(reading.result);
      };
    };
  });
}
