/** A simulated browser. Each tab runs a whole client, and can be killed, frozen or hidden at any moment. */
import { idFrom } from '../../../shared/mint.ts';
import type { Item } from '../../../shared/protocol/index.ts';
import { type Channel, channelOf } from '../../../web/db/changes.ts';
import type { Clock } from '../../../web/db/clock.ts';
import { openUserDatabase } from '../../../web/db/userDatabase.ts';
import type { BackgroundResult } from '../../../web/outbox/backgroundDrain.ts';
import { enqueue } from '../../../web/outbox/enqueue.ts';
import { createClient } from '../../../web/state/client.ts';
import type { AppState, Client, ReplyTarget, SignedIn } from '../../../web/state/model.ts';
import { wake } from '../../../web/sw/wake.ts';
import type { BrowserEvent } from '../../../web/transport/browser.ts';
import { newItemOf } from '../outbox/support.ts';
import { createLocks } from '../state/browser.ts';
import { createDisk, type Disk } from './disk.ts';
import type { Body } from './ledger.ts';
import type { Network, Station } from './network.ts';
import type { Happening, World } from './world.ts';

export interface Tab extends Station {
  client: Client & { close(): void };
  says(event: BrowserEvent): void;
  isFrozen(): boolean;
  freeze(): void;
  thaw(): void;
  /** Kills the tab without any event; its open transactions are lost. */
  kill(): void;
  app(): AppState;
  /** Undefined while nobody is signed in. */
  signedIn(): SignedIn | undefined;
  /** The room on the screen. */
  looking: string | undefined;
  lookingAs: string | undefined;
  /** Queues an item of any kind, like a tab of a newer version. */
  queue(user: string, item: Item): Promise<void>;
  look(room: string): void;
  visible: boolean;
  /** The text in the composer of each room that was passed to `send`. */
  boxes: Map<string, Box>;
}

export interface Box {
  user: string;
  body: Body;
  /** The message that it answers. */
  reply: ReplyTarget | undefined;
  isDraft: boolean;
  /** True while it is being stored; false if that failed and the text stays in the composer. */
  isBusy: boolean;
  /** The number of texts to send after it. */
  more: number;
}

export interface Browser {
  disk: Disk;
  jar: { cookie: string | undefined };
  tabs(): Tab[];
  openTab(): Tab;
  /** Sets the device's clock to another time. */
  setClock(by: number): void;
  /** The browser wakes the worker, if a sync is registered. */
  wakeWorker(): void;
  /** The tab or worker that generated an id. */
  minter(id: string): string | undefined;
  /** False if the browser has no Web Locks. */
  hasLocks: boolean;
}

export interface Heard {
  emitting(station: Station, payload: { as: string; items: unknown[] }): void;
  answered(station: Station, answer: unknown, payload: unknown): void;
  disconnected(station: Station): void;
  /** A write transaction has committed. */
  committed(database: string): void;
  /** A tab posts a change event to the others. */
  told(change: unknown): void;
  /** A tab is killed or frozen: it may not have posted its last change event. */
  silenced(): void;
}

interface Deps {
  world: World;
  network: Network;
  heard: Heard;
  /** The probability that it has Web Locks. */
  haveLocks: number | undefined;
}

export function createBrowser({ world, network, heard, haveLocks = 0.75 }: Deps): Browser {
  const { random } = world;
  const disk = createDisk(heard.committed);
  const hasLocks = random.next() < haveLocks;
  const locks = new Map<string, ReturnType<typeof createLocks>>();
  const channels = new Map<string, Set<{ end: Channel; station: Station }>>();
  const minters = new Map<string, string>();
  const jar: Browser['jar'] = { cookie: undefined };
  let tabs: Tab[] = [];
  let count = 0;
  let clockSet = 0;
  let isToWake = false;

  /** A page or a worker. */
  function createStation(name: string) {
    let waiting: (() => void)[] | undefined;
    let dead = false;
    /** Delivers queued events one after the other until this time, with random pauses between them. */
    let behind = 0;
    let late = 0;
    function later(work: () => void): void {
      late++;
      behind = Math.max(behind, world.now());
      world.after(behind - world.now(), () => {
        late--;
        if (dead) return;
        if (waiting) waiting.push(work);
        else work();
      });
    }
    const station: Station & { die(): void; freeze(): void; thaw(): void; isFrozen(): boolean } = {
      name,
      jar,
      isDead: () => dead,
      isFrozen: () => waiting !== undefined || late > 0,
      arrive(work) {
        if (dead) return;
        if (late > 0) later(work);
        else if (waiting) waiting.push(work);
        else work();
      },
      emitting: (payload) => heard.emitting(station, payload),
      answered: (answer, payload) => heard.answered(station, answer, payload),
      disconnected: () => heard.disconnected(station),
      die() {
        dead = true;
      },
      freeze() {
        waiting ??= [];
        heard.silenced();
      },
      thaw() {
        const arrived = waiting ?? [];
        waiting = undefined;
        for (const work of arrived) {
          behind = Math.max(behind, world.now()) + random.pick([0, 0, 1, 20]);
          later(work);
        }
      },
    };
    const clock: Clock = {
      now: () => 1_700_000_000_000 + world.now() + clockSet,
      ticks: () => world.now(),
      setTimeout: (ring, ms) => world.after(ms, () => station.arrive(ring)),
      clearTimeout: (timer) => world.cancel(timer as Happening),
    };
    const held = lockManager(station);
    const mine = disk.forTab();
    const deps = {
      indexedDB: mine.indexedDB,
      clock,
      random: random.next,
      randomBytes() {
        const bytes = random.bytes(16);
        minters.set(idFrom(bytes), name);
        return bytes;
      },
      fetch: network.fetch(station),
      channel: (channel: string) => join(channel, station),
    };
    return { station, deps, locks: held.manager, release: held.releaseAll, abort: mine.abort };
  }

  function join(name: string, station: Station): Channel {
    const all = channels.get(name) ?? new Set<{ end: Channel; station: Station }>();
    channels.set(name, all);
    const end: Channel = {
      onmessage: null,
      postMessage(message) {
        if (station.isDead()) return;
        heard.told(message);
        const data = structuredClone(message);
        for (const other of all)
          if (other.end !== end)
            world.soon(1, () => other.station.arrive(() => other.end.onmessage?.({ data })));
      },
      close: () => void all.delete(joined),
    };
    const joined = { end, station };
    all.add(joined);
    return end;
  }

  /** Callbacks of locks run only while the station runs. */
  function lockManager(station: Station) {
    const mine = new Map<string, ReturnType<ReturnType<typeof createLocks>['forTab']>>();
    const of = (name: string) => {
      const origin = locks.get(name) ?? createLocks();
      locks.set(name, origin);
      const held = mine.get(name) ?? origin.forTab();
      mine.set(name, held);
      return held.manager;
    };
    const request = (name: string, options: LockOptions, work: (lock: Lock | null) => unknown) =>
      new Promise((resolve, reject) => {
        const whenItRuns = (lock: Lock | null) =>
          new Promise((over, failed) =>
            station.arrive(() => void Promise.resolve(work(lock)).then(over, failed)),
          );
        of(name)
          .request(name, options, whenItRuns)
          .then(
            (value) => station.arrive(() => resolve(value)),
            (error) => station.arrive(() => reject(error)),
          );
      });
    return {
      manager: { request } as unknown as LockManager,
      releaseAll() {
        for (const held of mine.values()) held.releaseAll();
      },
    };
  }

  function openTab(): Tab {
    const { station, deps, locks, release, abort } = createStation(`tab ${++count}`);
    const listeners = new Set<(event: BrowserEvent) => void>();
    let stopLooking = () => {};
    let online = true;
    const client = createClient({
      ...deps,
      loadIo: async () => network.io(station),
      locks: hasLocks ? locks : undefined,
      background: {
        async register() {
          isToWake = true;
        },
      },
      page: {
        get visible() {
          return tab.visible;
        },
        get online() {
          return online;
        },
        listen(listener) {
          listeners.add(listener);
          return () => void listeners.delete(listener);
        },
      },
      painted: () => new Promise((resolve) => world.soon(1, () => station.arrive(resolve))),
      persist() {},
      startsOffline: true,
      missing: undefined,
      pass: undefined,
    });
    const tab: Tab = Object.assign(station, {
      client,
      visible: true,
      looking: undefined as Tab['looking'],
      lookingAs: undefined as Tab['lookingAs'],
      boxes: new Map<string, Box>(),
      says: (event: BrowserEvent) =>
        station.arrive(() => {
          if (event === 'online' || event === 'offline') online = event === 'online';
          for (const listener of [...listeners]) listener(event);
        }),
      async queue(user: string, item: Item) {
        const db = openUserDatabase(deps.indexedDB, deps.clock, user);
        const channel = join(channelOf(user), station);
        try {
          await enqueue(db, newItemOf(item, deps.clock.now()));
          channel.postMessage({ type: 'queued', rooms: [item.room] });
        } finally {
          channel.close();
          db.close();
        }
      },
      kill() {
        station.die();
        client.close();
        abort();
        release();
        tabs = tabs.filter((each) => each !== tab);
        heard.silenced();
      },
      app: () => client.app.get(),
      signedIn() {
        const app = client.app.get();
        return app.tag === 'signed-in' ? app : undefined;
      },
      look(room: string) {
        stopLooking();
        tab.looking = room;
        tab.lookingAs = tab.signedIn()?.user.id;
        client.open(room);
        stopLooking = client.conversation(room).subscribe(() => {});
      },
    });
    tabs.push(tab);
    return tab;
  }

  function wakeWorker(): void {
    if (!isToWake || !hasLocks) return;
    isToWake = false;
    const { station, deps, locks, release, abort } = createStation(`worker ${++count}`);
    const die = () => {
      station.die();
      abort();
      release();
    };
    const timer = world.after(random.pick([100, 2_000, 70_000]), die);
    wake({ ...deps, locks })
      .then((drained: BackgroundResult) => {
        world.note(`${station.name} ends: ${drained}`);
        world.cancel(timer);
        if (drained === 'left') isToWake = true;
      })
      .catch((error: unknown) => world.note(`${station.name} failed: ${error}`));
  }

  return {
    disk,
    jar,
    tabs: () => tabs,
    openTab,
    setClock(by) {
      clockSet += by;
    },
    wakeWorker,
    minter: (id) => minters.get(id),
    hasLocks,
  };
}
