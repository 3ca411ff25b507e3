/** What one core of a server holds: people connected, messages a second, entries stored, people who come back at once. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import { io } from 'socket.io-client';
import type { NewEntry, Store } from '../../../server/store/port.ts';
import { LOBBY } from '../../../shared/mint.ts';
import type { Welcome } from '../../../shared/protocol/index.ts';
import { addRoom } from '../../budgets/fillServer.ts';
import { text, upTo } from '../../contract/support.ts';
import { waitFor } from '../../support/waitFor.ts';
import { saturation } from '../figures/saturation.ts';
import { cpuOfStorm } from '../figures/storm.ts';
import { type Client, enter } from '../load/client.ts';
import { gather, inGroups } from '../load/crowd.ts';
import { type Database, openDatabase, type Setting } from '../stand/database.ts';
import type { Member } from '../stand/seed.ts';
import { type Contender, openStand, type Stand } from '../stand/stand.ts';
import { cpuOf } from '../stand/usage.ts';

/** Alone on this core; the load and a database that is a process of its own share the others. */
export const SERVER_CORE = 0;

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
export async function connected(
  setting: Setting,
  counts: readonly number[],
  idleMs: number,
): Promise<Connected[]> {
  await using database = await openDatabase(setting);
  await using stand = await openStand(database, {
    contender: 'holdfast',
    setting,
    members: counts.at(-1)!,
    core: SERVER_CORE,
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

export interface Rooms {
  title: string;
  people: number;
  /** One room of all people, or as many rooms of so many neighbours as there are people. */
  members: number | 'all';
}

export interface Spoken {
  title: string;
  /** Everybody sends the next message as soon as the last one is acknowledged. */
  mostPerSecond: number;
  deliveredPerSecond: number;
  cores: { servers: number; database: number; load: number };
  /** At half of `mostPerSecond`: from send to receipt, over all deliveries, in ms. */
  half: { perSecond: number; p50: number; p99: number };
}

export async function spoken(
  setting: Setting,
  { title, people, members }: Rooms,
  forMs: number,
): Promise<Spoken> {
  await using database = await openDatabase(setting);
  const audience = members === 'all' ? people : members;
  const fill =
    members === 'all' ? undefined : (store: Store, all: readonly Member[]) => roomsOf(store, all, audience);
  await using stand = await openStand(database, {
    contender: 'holdfast',
    setting,
    members: people,
    core: SERVER_CORE,
    ...(fill && { fill }),
  });
  using crowd = await gather(stand, audience);
  const most = await saturation(stand, crowd, { warmUpMs: forMs / 2, forMs });
  const perSecond = Math.max(1, Math.round(most.acknowledgedPerSecond / 2));
  const heardAfter = (await crowd.trickle(perSecond, Math.ceil((perSecond * forMs) / 1000))).sort(
    (a, b) => a - b,
  );
  const quantile = (of: number) => heardAfter[Math.floor(heardAfter.length * of)]!;
  return {
    title,
    mostPerSecond: most.acknowledgedPerSecond,
    deliveredPerSecond: most.acknowledgedPerSecond * audience,
    cores: most.cores,
    half: { perSecond, p50: quantile(0.5), p99: quantile(0.99) },
  };
}

/** One room for each member, with those who come next in the list; each member writes in their own. */
async function roomsOf(store: Store, members: readonly Member[], size: number) {
  const rooms = new Map<string, string>();
  for (const [i, { id, name }] of members.entries()) {
    const people = upTo(size).map((n) => members[(i + n - 1) % members.length]!.id);
    rooms.set(id, await addRoom(store, `Room of ${name}`, people));
  }
  return ({ id }: Member) => rooms.get(id)!;
}

export interface Stored {
  entries: number;
  /** Of the database, on the disk; undefined where it does not tell. */
  diskBytes: number | undefined;
  /** From the start of the server to the first acknowledged message. */
  startMs: number;
  /** Resident memory of the server after that. */
  bytes: number;
}

/** One room with so many messages of forty characters, written by 200 people. */
export async function stored(setting: Setting, entries: number): Promise<Stored> {
  await using database = await openDatabase(setting);
  let began = 0;
  await using stand = await openStand(database, {
    contender: 'holdfast',
    setting,
    members: WRITERS,
    core: SERVER_CORE,
    async fill(store, members) {
      for (let n = 0; n < entries; n += TOGETHER) {
        const batch: NewEntry[] = upTo(Math.min(TOGETHER, entries - n)).map((m) =>
          text(LOBBY, members[(n + m) % WRITERS]!.id, `message ${n + m} of forty characters or so`),
        );
        const { stopped } = await store.log.append(batch, Date.now());
        if (stopped) throw stopped;
      }
      began = performance.now();
      return undefined;
    },
  });
  const [member] = stand.members;
  const client = await enter(stand.urls[0]!, member!, stand.dialect, () => {});
  await client.say('the first message');
  const startMs = performance.now() - began;
  await sleep(SETTLED_MS);
  const bytes = residentBytes(stand.servers[0]!);
  client.close();
  return { entries, diskBytes: await diskBytesOf(database), startMs, bytes };
}

export interface Storm {
  people: number;
  /** For each who comes, in ms. */
  cpuMs: number;
  /** Until the last one is in. */
  allInMs: number;
}

/** So many come at once, to the lobby, as after a restart. */
export async function storm(
  contender: Contender,
  setting: Setting,
  people: number,
  warmUp: number,
): Promise<Storm> {
  await using database = await openDatabase(setting);
  await using stand = await openStand(database, {
    contender,
    setting,
    members: people + warmUp,
    core: SERVER_CORE,
  });
  const { cpuMs, tookMs } = await cpuOfStorm(stand, warmUp);
  return { people, cpuMs, allInMs: tookMs };
}

export interface Behind {
  people: number;
  messages: number;
  /** Until the last of them has the newest message. */
  newestMs: number;
  /** CPU of the server in all, until nothing comes any more. */
  cpuMs: number;
  /** Messages that each was sent. Holdfast sends the newest; older ones come when somebody looks at them. */
  sentToEach: number;
}

/** People who come back at once, and have missed so many messages of one room. */
export async function behind(
  contender: Contender,
  setting: Setting,
  people: number,
  messages: number,
): Promise<Behind> {
  await using database = await openDatabase(setting);
  await using stand = await openStand(database, {
    contender,
    setting,
    members: WRITERS + people,
    core: SERVER_CORE,
  });
  const [writers, away] = [stand.members.slice(0, WRITERS), stand.members.slice(WRITERS)];
  let last: number;
  {
    using crowd = await gather({ ...stand, members: writers });
    const fallSilent = crowd.talk();
    await waitFor('everything is written', () => crowd.acknowledged() >= messages, LONG_MS);
    await fallSilent();
    last = crowd.acknowledged() - 1;
  }
  const dialect = await returning(stand, writers[0]!);
  const [pid, url] = [stand.servers[0]!, stand.urls[0]!];
  const before = cpuOf(pid);
  const began = performance.now();
  let [heard, newest, newestMs] = [0, 0, 0];
  const hear = (number: number) => {
    heard++;
    if (number === last && ++newest === people) newestMs = performance.now() - began;
  };
  const clients = await inGroups(people, (i) => enter(url, away[i]!, dialect, hear));
  await waitFor('everybody has the newest message', () => newestMs > 0, LONG_MS);
  for (let seen = -1; seen !== heard; await sleep(SILENCE_MS)) seen = heard;
  const cpuMs = cpuOf(pid) - before;
  for (const client of clients) client.close();
  return { people, messages: last + 1, newestMs, cpuMs, sentToEach: heard / people };
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

async function diskBytesOf({ env }: Database): Promise<number | undefined> {
  if (env.DATA !== undefined)
    return readdirSync(env.DATA, { recursive: true, encoding: 'utf8' }).reduce(
      (sum, name) => sum + statSync(join(env.DATA!, name)).size,
      0,
    );
  const client = new MongoClient(env.MONGODB_URL!);
  try {
    const { storageSize = 0, indexSize = 0 } = await client.db().command({ dbStats: 1 });
    return storageSize + indexSize || undefined;
  } catch {
    return undefined;
  } finally {
    await client.close();
  }
}

const SETTLED_MS = 2_000;
const SILENCE_MS = 500;
const LONG_MS = 300_000;
const WRITERS = 200;
const TOGETHER = 2_000;
