/** Fills a server's database as after years of use, through the store: over the network it would take hours. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createLogger } from '../../server/base/logger.ts';
import type { NewEntry, Store } from '../../server/store/port.ts';
import { openSqlite } from '../../server/store/sqlite/index.ts';
import type { Entry } from '../../shared/entry.ts';
import { idFrom, LOBBY } from '../../shared/mint.ts';
import { membersFor, seed } from '../bench/stand/seed.ts';
import { APART_MS, historyOf, joinOf, TOGETHER } from './history.ts';

export interface Filled {
  room: string;
  head: number;
  /** The room's whole log, as clients get it, some thousand entries at a time. */
  pages: Entry[][];
}

/** Call it while no server uses the folder. `me` must have signed up; all messages count as read by `me`. */
export async function fillServer(data: string, me: string, texts: number): Promise<Filled> {
  const store = await openSqlite({ file: join(data, 'holdfast.db'), log: createLogger('warn') });
  try {
    const others = membersFor(OTHERS);
    await seed(store, others);
    const people = [me, ...others.map(({ id }) => id)];
    for (let n = 0; n < OTHER_ROOMS; n++) await addRoom(store, `Room ${n + 1}`, people);
    await appendThrough(store, historyOf(LOBBY, people, texts));
    const head = (await store.log.heads([LOBBY])).get(LOBBY)!;
    await store.rooms.mark([{ room: LOBBY, user: me, upTo: head }]);
    return { room: LOBBY, head, pages: await readAll(store, head) };
  } finally {
    await store.close();
  }
}

const OTHERS = 7;
const OTHER_ROOMS = 20;
const TEXTS_OF_OTHER_ROOMS = 30;

/** Resolves with the id of the room. */
export async function addRoom(store: Store, name: string, people: readonly string[]): Promise<string> {
  const room = idFrom(randomBytes(16));
  await store.rooms.create({ id: room, kind: 'public', name, createdBy: people[0]!, createdAt: Date.now() });
  await appendThrough(store, [
    ...people.map((person) => joinOf(room, person)),
    ...historyOf(room, people, TEXTS_OF_OTHER_ROOMS),
  ]);
  return room;
}

/** Times that end now, for any number of entries. */
export async function appendThrough({ log }: Store, entries: readonly NewEntry[]): Promise<void> {
  const begin = Date.now() - (entries.length / TOGETHER) * APART_MS;
  for (let i = 0; i < entries.length; i += TOGETHER) {
    const { results, stopped } = await log.append(
      entries.slice(i, i + TOGETHER),
      Math.round(begin + (i / TOGETHER) * APART_MS),
    );
    if (stopped) throw stopped;
    const odd = results.find(({ tag }) => tag !== 'appended');
    if (odd) throw new Error(`an entry of the fixture was not appended: ${odd.tag}`);
  }
}

async function readAll({ log }: Store, head: number): Promise<Entry[][]> {
  const pages: Entry[][] = [];
  for (let from = 1; from <= head; from += PAGE_ENTRIES)
    pages.push((await log.range(LOBBY, from, from + PAGE_ENTRIES - 1, Number.MAX_SAFE_INTEGER)).entries);
  return pages;
}

const PAGE_ENTRIES = 5_000;
