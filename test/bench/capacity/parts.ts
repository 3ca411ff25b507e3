/** What one core of a server holds: people connected, messages a second, entries stored, people who come back. */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { io } from 'socket.io-client';
import type { NewEntry, Store } from '../../../server/store/port.ts';
import { idFrom, LOBBY } from '../../../shared/mint.ts';
import type { Welcome } from '../../../shared/protocol/index.ts';
import { joinOf } from '../../budgets/history.ts';
import { text, upTo } from '../../contract/support.ts';
import { waitFor } from '../../support/waitFor.ts';
import { saturation } from '../figures/saturation.ts';
import { cpuOfStorm } from '../figures/storm.ts';
import { type Client, enter } from '../load/client.ts';
import { type Deliveries, gather, inGroups } from '../load/crowd.ts';
import { type Database, openDatabase, type Setting } from '../stand/database.ts';
import type { Member } from '../stand/seed.ts';
import { type Contender, openStand, type Stand } from '../stand/stand.ts';
import { cpuOf } from '../stand/usage.ts';

/** Alone on this core; the load and a database that is a process of its own share the others. */
export const SERVER_CORE = 0;

const ALONE = { core: SERVER_CORE, ownAddresses: true };

export type StoreName = 'sqlite' | 'mongodb';

export const SETTING_OF: Record<StoreName, Setting> = { sqlite: 'sqlite', mongodb: 'mongo1' };

/** By name, in the order in which they run. `quick`: so short that the figures say nothing. */
export const PARTS = {
  'one room of 200': (store, quick) => spokenIn(store, quick, { people: 200, members: 'all' }),
  'one room of 2,000': (store, quick) => spokenIn(store, quick, { people: 2_000, members: 'all' }),
  '1,000 rooms of 10': (store, quick) => spokenIn(store, quick, { people: 1_000, members: 10 }),
  'people connected': (store, quick) =>
    connected(SETTING_OF[store], quick ? [100, 200] : [1_000, 10_000], quick ? 1_000 : IDLE_MS),
  'a million entries': (store, quick) => stored(SETTING_OF[store], quick ? 10_000 : 1_000_000, LOGS[store]),
  'a storm: the tutorial': (store, quick) => stormOf('tutorial', store, quick),
  'a storm: Holdfast': (store, quick) => stormOf('holdfast', store, quick),
  'behind: the tutorial': (store, quick) => behindOf('tutorial', store, quick),
  'behind: Holdfast': (store, quick) => behindOf('holdfast', store, quick),
} satisfies Record<string, (store: StoreName, quick: boolean) => Promise<unknown>>;

export type PartName = keyof typeof PARTS;

export const PART_NAMES = Object.keys(PARTS) as PartName[];

export type Found = { [Name in PartName]: Awaited<ReturnType<(typeof PARTS)[Name]>> };

function spokenIn(store: StoreName, quick: boolean, rooms: Rooms) {
  return spoken(SETTING_OF[store], rooms, quick ? 1_000 : SPOKEN_FOR_MS);
}

function stormOf(contender: Contender, store: StoreName, quick: boolean) {
  return storm(contender, SETTING_OF[store], quick ? 200 : 5_000, quick ? 50 : 500);
}

function behindOf(contender: Contender, store: StoreName, quick: boolean) {
  return behind(contender, SETTING_OF[store], quick ? 20 : 200, quick ? 1_000 : 10_000);
}

/** Longer than the interval of the heartbeats. */
const IDLE_MS = 26_000;

export const SPOKEN_FOR_MS = 5_000;
export const SPOKEN_WARM_UP = 0.5;

export interface Connected {
  people: number;
  /** From the first connection to the last welcome. */
  cameInMs: number;
  /** Resident memory of the server. */
  bytes: number;
  /** Cores in use while nobody writes: heartbeats alone. */
  cores: number;
}

/** Everybody is in one room, and idle. Ascending numbers of people, one after the other. */
async function connected(setting: Setting, counts: readonly number[], idleMs: number): Promise<Connected[]> {
  await using database = await openDatabase(setting);
  await using stand = await openStand(database, {
    ...ALONE,
    contender: 'holdfast',
    setting,
    members: counts.at(-1)!,
  });
  const [pid, url] = [stand.servers[0]!, stand.urls[0]!];
  const clients: Client[] = [];
  const found: Connected[] = [];
  for (const people of counts) {
    const from = clients.length;
    const began = performance.now();
    clients.push(
      ...(await inGroups(people - from, (i) =>
        enter(url, stand.members[from + i]!, stand.dialect, () => {}),
      )),
    );
    const cameInMs = performance.now() - began;
    await sleep(SETTLED_MS);
    const before = { cpu: cpuOf(pid), at: performance.now() };
    await sleep(idleMs);
    const cores = (cpuOf(pid) - before.cpu) / (performance.now() - before.at);
    found.push({ people, cameInMs, bytes: residentBytes(pid), cores });
  }
  for (const client of clients) client.close();
  return found;
}

interface Rooms {
  people: number;
  /** One room of all people, or as many rooms of so many neighbours as there are people. */
  members: number | 'all';
}

export interface Spoken {
  /** Everybody sends the next message as soon as the last one is acknowledged. */
  mostPerSecond: number;
  /** Live and fetched. */
  deliveredPerSecond: number;
  /** Of all messages of that time. */
  deliveries: Deliveries;
  /** `database`: undefined where its CPU cannot be measured; 0 where it is in the server. */
  cores: { servers: number; database: number | undefined; load: number };
  /** At half of `mostPerSecond`: from send to receipt, over all deliveries, in ms. */
  half: { perSecond: number; p50: number; p99: number; deliveries: Deliveries };
}

async function spoken(setting: Setting, { people, members }: Rooms, forMs: number): Promise<Spoken> {
  await using database = await openDatabase(setting);
  const audience = members === 'all' ? people : members;
  const fill =
    members === 'all' ? undefined : (store: Store, all: readonly Member[]) => roomsOf(store, all, audience);
  await using stand = await openStand(database, {
    ...ALONE,
    contender: 'holdfast',
    setting,
    members: people,
    ...(fill && { fill }),
  });
  using crowd = await gather(stand, audience);
  const most = await saturation(stand, crowd, { warmUpMs: SPOKEN_WARM_UP * forMs, forMs });
  const deliveries = crowd.deliveries();
  const perSecond = Math.max(1, Math.round(most.acknowledgedPerSecond / 2));
  const heardAfter = await crowd.trickle(perSecond, Math.ceil((perSecond * forMs) / 1000));
  const quantile = (of: number) => heardAfter[Math.floor(heardAfter.length * of)] ?? Number.NaN;
  return {
    mostPerSecond: most.acknowledgedPerSecond,
    deliveredPerSecond: most.deliveredPerSecond,
    deliveries,
    cores: {
      ...most.cores,
      database: setting === 'sqlite' || database.pids.length > 0 ? most.cores.database : undefined,
    },
    half: {
      perSecond,
      p50: quantile(0.5),
      p99: quantile(0.99),
      deliveries: difference(crowd.deliveries(), deliveries),
    },
  };
}

function difference(all: Deliveries, before: Deliveries): Deliveries {
  return {
    live: all.live - before.live,
    fetched: all.fetched - before.fetched,
    left: all.left - before.left,
    cutOff: all.cutOff - before.cutOff,
  };
}

/** One room for each member, with those who come next in the list; each member writes in their own. */
async function roomsOf(store: Store, members: readonly Member[], size: number) {
  const rooms = new Map<string, string>();
  await inGroups(members.length, async (i) => {
    const { id, name } = members[i]!;
    const room = idFrom(randomBytes(16));
    rooms.set(id, room);
    await store.rooms.create({
      id: room,
      kind: 'public',
      name: `Room of ${name}`,
      createdBy: id,
      createdAt: Date.now(),
    });
    const joins = upTo(size).map((n) => joinOf(room, members[(i + n - 1) % members.length]!.id));
    const { stopped } = await store.log.append(joins, Date.now());
    if (stopped) throw stopped;
  });
  return ({ id }: Member) => rooms.get(id)!;
}

/**
 * One room is the hardest case. The databases that were at hand for MongoDB (secantusd-rs, SecantusDB) read all entries of a room to
 * find its newest one, in spite of `limit`, and for a million that takes longer than the server waits.
 */
const LOGS: Record<StoreName, Logs> = {
  sqlite: { people: 200, rooms: 'the lobby' },
  mongodb: { people: 1_000, rooms: 'of ten' },
};

interface Logs {
  people: number;
  /** All entries in the lobby, or the same number in as many rooms of ten as there are people. */
  rooms: 'the lobby' | 'of ten';
}

export interface Stored {
  entries: number;
  rooms: number;
  /** The files of the database; undefined where it is on another machine. */
  diskBytes: number | undefined;
  /** The same before these entries. */
  emptyDiskBytes: number | undefined;
  /** From the start of the server to the first acknowledged message. */
  startMs: number;
  /** Resident memory of the server after that, and of the database where it is a process of its own on this machine. */
  bytes: number;
  databaseBytes: number | undefined;
  /** The same measurements on an empty log. */
  empty: { startMs: number; bytes: number };
}

/** So many messages of forty characters. */
async function stored(setting: Setting, entries: number, logs: Logs): Promise<Stored> {
  const empty = await started(setting, 0, logs);
  const full = await started(setting, entries, logs);
  return {
    entries: full.written,
    rooms: logs.rooms === 'of ten' ? logs.people : 1,
    diskBytes: full.diskBytes,
    emptyDiskBytes: empty.diskBytes,
    startMs: full.startMs,
    bytes: full.bytes,
    databaseBytes: full.databaseBytes,
    empty: { startMs: empty.startMs, bytes: empty.bytes },
  };
}

/** `written`: fewer than `entries` where the database takes longer than WRITTEN_WITHIN_MS. */
async function started(setting: Setting, entries: number, { people, rooms }: Logs) {
  await using database = await openDatabase(setting);
  let written = 0;
  let roomOf = (_member: Member) => LOBBY;
  await using stand = await openStand(database, {
    ...ALONE,
    contender: 'holdfast',
    setting,
    members: people,
    ...(rooms === 'of ten' && {
      async fill(store, members) {
        roomOf = await roomsOf(store, members, 10);
        return roomOf;
      },
    }),
    async write(store, members) {
      const until = performance.now() + WRITTEN_WITHIN_MS;
      for (let batches = 0; written < entries && performance.now() < until; batches++) {
        const size = Math.min(TOGETHER, Math.ceil(entries / people), entries - written);
        const room = roomOf(members[batches % people]!);
        const batch: NewEntry[] = upTo(size).map((m) =>
          text(room, members[(batches + m) % people]!.id, `message ${written + m} of forty characters or so`),
        );
        const { stopped } = await store.log.append(batch, Date.now());
        if (stopped) throw stopped;
        written += size;
      }
    },
  });
  const [member] = stand.members;
  const client = await enter(stand.urls[0]!, member!, stand.dialect, () => {});
  await client.say('the first message');
  const startMs = performance.now() - stand.startedAt;
  await sleep(SETTLED_MS);
  client.close();
  const [databasePid] = database.pids;
  return {
    written,
    startMs,
    bytes: residentBytes(stand.servers[0]!),
    databaseBytes: databasePid === undefined ? undefined : residentBytes(databasePid),
    diskBytes: diskBytesOf(database),
  };
}

export interface Storm {
  people: number;
  /** For each who comes, in ms. */
  cpuMs: number;
  /** Until the last one is in. */
  allInMs: number;
}

/** So many come to the lobby, PEOPLE_AT_A_TIME together, as after a restart. */
async function storm(contender: Contender, setting: Setting, people: number, warmUp: number): Promise<Storm> {
  await using database = await openDatabase(setting);
  await using stand = await openStand(database, {
    ...ALONE,
    contender,
    setting,
    members: people + warmUp,
  });
  const { cpuMs, tookMs } = await cpuOfStorm(stand, warmUp);
  return { people, cpuMs, allInMs: tookMs };
}

export interface Behind {
  people: number;
  messages: number;
  /** Until the last of them has the newest message, if they are sent it at all. */
  newestMs: number;
  /** People who had no newest message after `waitedMs`. Where a query fails, the tutorial sends nothing, and nobody asks again. */
  without: number;
  waitedMs: number;
  /** CPU of the server in all, until nothing comes any more. */
  cpuMs: number;
  /** Messages that each was sent. Holdfast sends the newest; older ones come when somebody looks at them. */
  sentToEach: number;
}

/** People who come back, PEOPLE_AT_A_TIME together, and have missed so many messages of one room. */
async function behind(
  contender: Contender,
  setting: Setting,
  people: number,
  messages: number,
): Promise<Behind> {
  await using database = await openDatabase(setting);
  await using stand = await openStand(database, {
    ...ALONE,
    contender,
    setting,
    members: WRITERS + people,
  });
  const [writers, away] = [stand.members.slice(0, WRITERS), stand.members.slice(WRITERS)];
  let last: number;
  {
    using crowd = await gather({ ...stand, members: writers });
    const fallSilent = crowd.talk();
    await waitFor('everything is written', () => crowd.acknowledged() >= messages, LONG_MS);
    await fallSilent();
    await crowd.trickle(1, 1); // nothing is said at the same time: it is the newest of the log
    last = crowd.acknowledged() - 1;
  }
  const dialect = await returning(stand, writers[0]!);
  const [pid, url] = [stand.servers[0]!, stand.urls[0]!];
  const before = cpuOf(pid);
  const began = performance.now();
  let [heard, newest, newestMs] = [0, 0, 0];
  const hear = (number: number) => {
    heard++;
    if (number !== last) return;
    newest++;
    newestMs = performance.now() - began;
  };
  const clients = await inGroups(people, (i) => enter(url, away[i]!, dialect, hear));
  for (
    let [seen, seenAt] = [0, began];
    performance.now() - began < BACK_WITHIN_MS;
    await sleep(LOOK_EVERY_MS)
  ) {
    if (seen !== heard) [seen, seenAt] = [heard, performance.now()];
    if (performance.now() - seenAt > (newest === people ? SILENCE_MS : LOST_AFTER_MS)) break;
  }
  const waitedMs = performance.now() - began;
  const cpuMs = cpuOf(pid) - before;
  for (const client of clients) client.close();
  return {
    people,
    messages: last + 1,
    newestMs,
    without: people - newest,
    waitedMs,
    cpuMs,
    sentToEach: heard / people,
  };
}

/** Clients that were here before: they know the epoch of the log. */
async function returning({ contender, dialect, urls }: Stand, member: Member): Promise<Stand['dialect']> {
  if (contender === 'tutorial') return dialect;
  const socket = io(urls[0]!, { transports: ['websocket'], auth: dialect.auth(member) });
  const { epoch } = await new Promise<Welcome>((resolve, reject) => {
    socket.once('welcome', resolve);
    socket.once('connect_error', reject);
  });
  socket.close();
  return { ...dialect, auth: (one) => ({ ...dialect.auth(one), epoch }) };
}

function residentBytes(pid: number): number {
  const [, kB] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!;
  return Number(kB) * 1024;
}

/** A database process of ours works in the folder of its files. */
function diskBytesOf({ env, pids: [pid] }: Database): number | undefined {
  const folder = env.DATA ?? (pid === undefined ? undefined : readlinkSync(`/proc/${pid}/cwd`));
  if (folder === undefined) return undefined;
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).reduce(
    // a file may go meanwhile
    (sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}

const WRITTEN_WITHIN_MS = 120_000;
const SETTLED_MS = 2_000;
const SILENCE_MS = 500;
/** Who is sent nothing for so long gets nothing any more. */
const LOST_AFTER_MS = 15_000;
/** A database may be so slow that it takes many minutes. */
const BACK_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 50;
const LONG_MS = 90_000;
const WRITERS = 200;
const TOGETHER = 2_000;
