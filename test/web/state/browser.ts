/** A fake browser for whole clients: its storage outlives the tabs, and the test drives time, events and network. */
import 'fake-indexeddb/auto';
import type { Channel } from '../../../web/db/changes.ts';
import { createClient } from '../../../web/state/client.ts';
import type { Deps } from '../../../web/state/deps.ts';
import type { AppState, Client, ConversationState, SignedIn } from '../../../web/state/model.ts';
import type { BrowserEvent } from '../../../web/transport/browser.ts';
import type { RawSocket } from '../../../web/transport/socket.ts';
import { createFakeClock, type FakeClock } from '../db/fakeClock.ts';
import { until } from '../db/until.ts';
import { type ModelServer, mint } from './modelServer.ts';

export interface Tab {
  client: Client & { close(): void };
  clock: FakeClock;
  /** Fires a browser event. */
  says(event: BrowserEvent): void;
  app(): AppState;
  signedIn(): SignedIn;
  /** Subscribes to the room's conversation, as a view does. */
  look(room: string): void;
  conversation(room: string): ConversationState;
  /** The bodies with their status, as the screen shows them. */
  read(room: string): string[];
  /** Lets time pass in small steps until the condition holds. */
  untilPassing(what: string, isSo: () => boolean): Promise<void>;
  untilLive(): Promise<void>;
  /**
   * The browser suspends the tab: its clock stands still, and events wait. Its storage finishes pending requests, as in a
   * browser; unlike in a browser, their callbacks run at once.
   */
  freeze(): void;
  thaw(): void;
  /** The tab is killed without an event. */
  kill(): void;
}

export interface Browser {
  indexedDB: IDBFactory;
  persisted: number;
  /** `online`: as `navigator.onLine`. */
  openTab(changes?: Partial<Deps>, seen?: { visible?: boolean; online?: boolean }): Tab;
}

export function createBrowser(server: ModelServer): Browser {
  const channels = new Map<string, Set<{ end: Channel; arrives: (deliver: () => void) => void }>>();
  const browser: Browser = { indexedDB: new IDBFactory(), persisted: 0, openTab };
  const locks = createLocks();

  function channel(name: string, arrive: (deliver: () => void) => void): Channel {
    const all = channels.get(name) ?? new Set<{ end: Channel; arrives: (deliver: () => void) => void }>();
    channels.set(name, all);
    const own: Channel = {
      onmessage: null,
      postMessage(message) {
        const data = structuredClone(message);
        for (const { end, arrives } of all)
          if (end !== own) queueMicrotask(() => arrives(() => end.onmessage?.({ data })));
      },
      close: () => void all.delete(joined),
    };
    const joined = { end: own, arrives: arrive };
    all.add(joined);
    return own;
  }

  function openTab(changes: Partial<Deps> = {}, { visible = true, online = true } = {}): Tab {
    const seen = { visible, online };
    const real = createFakeClock();
    /** Events that wait while the tab is frozen; undefined while it runs. */
    let waiting: (() => void)[] | undefined;
    const arrive = (deliver: () => void) => (waiting ? void waiting.push(deliver) : deliver());
    const clock: FakeClock = { ...real, pass: (ms) => arrive(() => real.pass(ms)) };
    const listeners = new Set<(event: BrowserEvent) => void>();
    const held = locks.forTab();
    const client = createClient({
      indexedDB: browser.indexedDB,
      clock,
      random: () => 0.5,
      randomBytes: (count) => Uint8Array.from({ length: count }, (_, i) => mint().charCodeAt(i + 1)),
      fetch: server.fetch,
      loadIo: async () => (options) => gated(server.io(options), arrive),
      locks: held.manager,
      channel: (name) => channel(name, arrive),
      background: undefined,
      page: {
        get visible() {
          return seen.visible;
        },
        get online() {
          return seen.online;
        },
        listen(listener) {
          listeners.add(listener);
          return () => void listeners.delete(listener);
        },
      },
      painted: () => Promise.resolve(),
      persist: () => void browser.persisted++,
      startsOffline: true,
      missing: undefined,
      pass: undefined,
      ...changes,
    });
    const tab: Tab = {
      client,
      clock,
      says: (event) =>
        arrive(() => {
          if (event === 'visible' || event === 'hidden') seen.visible = event === 'visible';
          if (event === 'online' || event === 'offline') seen.online = event === 'online';
          for (const listener of listeners) listener(event);
        }),
      app: () => client.app.get(),
      signedIn() {
        const state = client.app.get();
        if (state.tag !== 'signed-in') throw new Error(`nobody is in: ${state.tag}`);
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
        tab.untilPassing(
          'live',
          () => tab.app().tag === 'signed-in' && tab.signedIn().connection.tag === 'live',
        ),
      freeze() {
        waiting ??= [];
      },
      thaw() {
        const arrived = waiting ?? [];
        waiting = undefined;
        for (const deliver of arrived) deliver();
      },
      kill() {
        client.close();
        held.releaseAll();
      },
    };
    return tab;
  }

  return browser;
}

interface Waiting {
  tab: number;
  run: () => Promise<unknown>;
  signal: AbortSignal | undefined;
  /** Notifies the holder that the lock was stolen. */
  stolen: () => void;
}

/** A socket whose events are delivered while the tab runs. */
function gated(raw: RawSocket, arrive: (deliver: () => void) => void): RawSocket {
  return {
    get connected() {
      return raw.connected;
    },
    get io() {
      const { engine } = raw.io;
      return {
        engine: {
          on: (event: 'packet' | 'upgrade', listener: () => void) => engine.on(event, () => arrive(listener)),
        },
      };
    },
    on: (event, listener) => raw.on(event, (payload) => arrive(() => listener(payload))),
    emit: (event, ...sent) =>
      raw.emit(
        event,
        ...sent.map((one) =>
          typeof one === 'function' ? (answer: unknown) => arrive(() => one(answer)) : one,
        ),
      ),
    get volatile() {
      return raw.volatile;
    },
    connect: () => raw.connect(),
    disconnect: () => raw.disconnect(),
  };
}

/** The part of the Web Locks of one origin that the client uses. */
export function createLocks() {
  const queue: Waiting[] = [];
  let holder: { tab: number; stolen: () => void } | undefined;
  let tabs = 0;

  function next() {
    const first = holder === undefined ? queue.shift() : undefined;
    if (!first) return;
    if (first.signal?.aborted) return next();
    const mine = { tab: first.tab, stolen: first.stolen };
    holder = mine;
    const release = () => {
      if (holder === mine) holder = undefined;
      next();
    };
    first.run().then(release, release);
  }

  return {
    forTab() {
      const tab = ++tabs;
      const request = (
        _: string,
        options: { signal?: AbortSignal; ifAvailable?: boolean; steal?: boolean },
        held: (lock: unknown) => unknown,
      ) => {
        if (options.ifAvailable && (holder !== undefined || queue.length > 0))
          return Promise.resolve(held(null));
        return new Promise((resolve, reject) => {
          const stolen = () => reject(new DOMException('the lock was stolen', 'AbortError'));
          const run = () => Promise.resolve(held({})).then(resolve, reject);
          const wanted: Waiting = { tab, signal: options.signal, run, stolen };
          if (options.steal) {
            holder?.stolen();
            holder = undefined;
            queue.unshift(wanted);
          } else queue.push(wanted);
          queueMicrotask(next);
        });
      };
      return {
        manager: { request } as unknown as LockManager,
        releaseAll() {
          if (holder?.tab === tab) holder = undefined;
          for (let i = queue.length - 1; i >= 0; i--) if (queue[i]!.tab === tab) queue.splice(i, 1);
          next();
        },
      };
    },
  };
}

/** All records of a store, read without the client. */
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
