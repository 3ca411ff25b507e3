/**
 * Moves what an older version of the database held of the logs into the stores of this one, while the app works. What is
 * not moved counts as not held: it comes later, or is fetched. Each transaction takes from the old stores what it puts into
 * the new ones, and cuts the spans of both (S1): it may be the last one before the browser is killed, and several tabs may
 * be at it, each with what is left then. The outbox is not touched, and does not wait for it.
 *
 * In each room it goes from the newest downwards: what amends an entry stands behind it, and is in the new stores already
 * (S3).
 */
import { CATCH_UP_NEWEST_MESSAGES } from '../../shared/limits.ts';
import type { Change } from '../db/changes.ts';
import type { Clock, Timer } from '../db/clock.ts';
import { DatabaseClosed } from '../db/database.ts';
import {
  HELD_STORES,
  ofRoom,
  type RoomSpan,
  UNMOVED_STORES,
  type UserDatabase,
  type UserWrite,
  within,
} from '../db/schema.ts';
import {
  MOVE_CHUNK_ENTRIES,
  MOVE_PAUSE_MS,
  MOVE_SLICE_ENTRIES,
  MOVE_SLICE_MS,
  RETRY_MAX_MS,
} from '../records/pageLimits.ts';
import { forget, hold, holdLoose, isOfAnotherLog, LOG_STORES } from './hold.ts';
import { spansOf } from './readSpans.ts';
import { without } from './spans.ts';
import { isRun } from './take.ts';

export interface Mover {
  /** Resolves when the newest entries of every room are moved, or when that fails and is to be tried again. Never rejects. */
  newest: Promise<void>;
  close(): void;
}

export interface MoverDeps {
  db: UserDatabase;
  clock: Clock;
  /** The room that is looked at: it comes first. */
  opened(): string | undefined;
  changed(change: Change): void;
  /** So many entries are still to be moved; 0: all are. */
  left(count: number): void;
}

/** Begins at once, and goes on until nothing is left. */
export function createMover({ db, clock, opened, changed, left }: MoverDeps): Mover {
  let closed = false;
  let pause: Timer | undefined;
  let resolveNewest = () => {};
  const newest = new Promise<void>((resolve) => {
    resolveNewest = resolve;
  });

  async function step(): Promise<void> {
    const began = clock.ticks();
    const slice = await moveSlice(db, clock, opened()).catch((error) => {
      if (!(error instanceof DatabaseClosed)) console.warn('held messages could not be moved', error);
      return undefined;
    });
    if (closed) return;
    if (slice && slice.rooms.length > 0) changed({ type: 'log', rooms: slice.rooms });
    if (!slice || slice.isNewestMoved) resolveNewest();
    if (slice) left(slice.left);
    if (slice?.left === 0) return;
    const rest = slice ? Math.max(MOVE_PAUSE_MS, clock.ticks() - began) : RETRY_MAX_MS;
    pause = clock.setTimeout(() => void step(), rest);
  }

  void step();

  return {
    newest,
    close() {
      closed = true;
      if (pause !== undefined) clock.clearTimeout(pause);
      resolveNewest();
    },
  };
}

export interface Slice {
  /** Rooms of which something has moved. */
  rooms: string[];
  /** Of every room the newest is. */
  isNewestMoved: boolean;
  /** Entries in spans that are still to be moved. */
  left: number;
}

/** One transaction of about MOVE_SLICE_MS. A room whose two halves turn out to be of different logs is forgotten. */
export async function moveSlice(db: UserDatabase, clock: Clock, opened?: string): Promise<Slice> {
  for (;;) {
    try {
      return await db.write([...HELD_STORES, ...UNMOVED_STORES], (tx) => moveSome(tx, clock, opened));
    } catch (error) {
      if (!(error instanceof LogsDiffer)) throw error;
      await db.write(LOG_STORES, (tx) => forget(tx, error.room));
    }
  }
}

async function moveSome(tx: UserWrite, clock: Clock, opened: string | undefined): Promise<Slice> {
  const spans = await tx.objectStore('spans').getAll();
  const began = clock.ticks();
  const all = spans.reduce((sum, { from, to }) => sum + to - from + 1, 0);
  let moved = 0;
  const isOver = () => moved >= MOVE_SLICE_ENTRIES || clock.ticks() - began >= MOVE_SLICE_MS;
  const isOpened = (room: string) => (room === opened ? 0 : 1);
  const inOrder = (rooms: Iterable<string>) => [...new Set(rooms)].sort((a, b) => isOpened(a) - isOpened(b));

  const lacking = inOrder(await lackingNewest(tx, spans));
  const rooms: string[] = [];
  while (lacking.length > 0 && !isOver()) {
    const room = lacking.shift()!;
    await moveDetached(tx, room);
    moved += await moveChunk(tx, room, CATCH_UP_NEWEST_MESSAGES);
    rooms.push(room);
  }
  const isNewestMoved = lacking.length === 0;
  for (const room of isNewestMoved ? inOrder(spans.map((span) => span.room)) : []) {
    let count = 1;
    while (count > 0 && !isOver()) moved += count = await moveChunk(tx, room, MOVE_CHUNK_ENTRIES);
    rooms.push(room);
    if (isOver()) break;
  }
  return { rooms: [...new Set(rooms)], isNewestMoved, left: all - moved };
}

/** Rooms of which not even the newest entry that the old stores hold is held, or something outside of all spans. */
async function lackingNewest(tx: UserWrite, unmoved: readonly RoomSpan[]): Promise<string[]> {
  const ends = new Map((await tx.objectStore('logSpans').getAll()).map(({ room, to }) => [room, to])); // they ascend
  const lacking = unmoved.filter(({ room, to }) => to > (ends.get(room) ?? 0)).map(({ room }) => room);
  return [...(await tx.objectStore('loose').getAllKeys()).map(([room]) => room), ...lacking];
}

/** What lies outside of all spans of the room. */
async function moveDetached(tx: UserWrite, room: string): Promise<void> {
  const loose = await tx.objectStore('loose').getAll(ofRoom(room));
  if (loose.length === 0) return;
  await holdLoose(tx, room, loose);
  await tx.objectStore('loose').delete(ofRoom(room));
}

/** The newest `most` entries of what is left of the room. Resolves with how many there were: 0 when nothing is left. */
async function moveChunk(tx: UserWrite, room: string, most: number): Promise<number> {
  const span = (await tx.objectStore('spans').getAll(ofRoom(room))).at(-1);
  if (!span) return 0;
  const { to, amendedTo } = span;
  const from = Math.max(span.from, to - most + 1);
  const count = to - from + 1;
  const entries = await tx.objectStore('entries').getAll(within(room, from, to));
  await tx.objectStore('entries').delete(within(room, from, to));
  if (from === span.from) await tx.objectStore('spans').delete([room, from]);
  else await tx.objectStore('spans').put({ ...span, to: from - 1 });
  if (entries.length !== count || !isRun(entries, from)) return count; // a database that is not whole: it is fetched again
  if (await isOfAnotherLog(tx, { room, entries, amendments: [], amendedTo, opens: true }))
    throw new LogsDiffer(room);
  for (const piece of without({ from, to }, await spansOf(tx, room))) {
    const fresh = entries.slice(piece.from - from, piece.to - from + 1);
    await hold(tx, { room, entries: fresh, amendments: [], amendedTo, opens: true });
  }
  return count;
}

/** What the server brought meanwhile stands where something else was held: its data was put back. */
class LogsDiffer extends Error {
  readonly room: string;

  constructor(room: string) {
    super('what is held is of two logs');
    this.name = 'LogsDiffer';
    this.room = room;
  }
}
