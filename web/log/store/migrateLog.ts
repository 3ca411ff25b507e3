/**
 * Migrates the logs of database version 3 into the stores of version 4, while the app runs. Entries that are not migrated
 * yet count as not stored: they appear later, or are fetched. Each transaction moves one slice from the old stores to the
 * new ones and adjusts the spans of both (S1). It may be the last before the browser is killed, and several tabs may
 * migrate at once, so each transaction decides by what it reads. The outbox is not touched and does not wait.
 *
 * Each room is migrated from its newest entry downwards: the amendments of an entry are newer, so they are in the new stores
 * before it (S3).
 */
import { CATCH_UP_NEWEST_MESSAGES } from '../../../shared/limits.ts';
import type { Clock, Timer } from '../../db/clock.ts';
import { readSpans } from '../../db/lookups.ts';
import { DatabaseClosed } from '../../db/resilientDatabase.ts';
import {
  keysBetween,
  keysOfRoom,
  LEGACY_LOG_STORES,
  LOG_STORES,
  type UserDatabase,
  type UserWrite,
} from '../../db/userDatabase.ts';
import type { Change } from '../../records/change.ts';
import {
  MOVE_CHUNK_ENTRIES,
  MOVE_PAUSE_MS,
  MOVE_SLICE_ENTRIES,
  MOVE_SLICE_MS,
  RETRY_MAX_MS,
} from '../../records/pageLimits.ts';
import { subtractRanges } from '../../records/spans.ts';
import type { RoomSpan } from '../../records/storedRecords.ts';
import { isContiguous } from './applyFrames.ts';
import { forgetLog, writeAndDeleteLogs } from './deleteLogs.ts';
import { conflictsWithStored, SYNC_STORES, storeDetached, storeEntries } from './storeEntries.ts';

export interface Mover {
  /** Resolves when the newest entries of all rooms are migrated, or when a slice fails and will be retried. Never rejects. */
  newest: Promise<void>;
  close(): void;
}

export interface MoverDeps {
  db: UserDatabase;
  clock: Clock;
  /** The room on the screen: it is migrated first. */
  opened(): string | undefined;
  changed(change: Change): void;
  /** The number of entries still to migrate; 0 at the end. */
  left(count: number): void;
}

/** Starts at once and runs until nothing is left. */
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
      if (!(error instanceof DatabaseClosed)) console.warn('stored messages could not be migrated', error);
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
  /** Rooms of which entries were moved. */
  rooms: string[];
  /** The newest entries of all rooms are migrated. */
  isNewestMoved: boolean;
  /** Entries in spans that are still to migrate. */
  left: number;
}

/** One transaction of about MOVE_SLICE_MS. If a room's old and new stores belong to different logs, both are deleted. */
export async function moveSlice(db: UserDatabase, clock: Clock, opened?: string): Promise<Slice> {
  for (;;) {
    try {
      return await db.write(
        [...LOG_STORES, ...LEGACY_LOG_STORES],
        (tx) => moveSome(tx, clock, opened),
        'relaxed',
      );
    } catch (error) {
      if (!(error instanceof LogsDiffer)) throw error;
      await writeAndDeleteLogs(db, SYNC_STORES, undefined, (tx) => forgetLog(tx, error.room));
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

/** Rooms with detached entries in the old stores, or with an old span that ends beyond the new ones. */
async function lackingNewest(tx: UserWrite, legacySpans: readonly RoomSpan[]): Promise<string[]> {
  const ends = new Map((await tx.objectStore('logSpans').getAll()).map(({ room, to }) => [room, to])); // ascending
  const lacking = legacySpans.filter(({ room, to }) => to > (ends.get(room) ?? 0)).map(({ room }) => room);
  return [...(await tx.objectStore('loose').getAllKeys()).map(([room]) => room), ...lacking];
}

/** Moves the room's entries outside all spans. */
async function moveDetached(tx: UserWrite, room: string): Promise<void> {
  const detached = await tx.objectStore('loose').getAll(keysOfRoom(room));
  if (detached.length === 0) return;
  await storeDetached(tx, room, detached);
  await tx.objectStore('loose').delete(keysOfRoom(room));
}

/** Moves the room's newest entries that are left, at most `most`. Resolves with their number, 0 when nothing is left. */
async function moveChunk(tx: UserWrite, room: string, most: number): Promise<number> {
  const span = (await tx.objectStore('spans').getAll(keysOfRoom(room))).at(-1);
  if (!span) return 0;
  const { to, amendedTo } = span;
  const from = Math.max(span.from, to - most + 1);
  const count = to - from + 1;
  const entries = await tx.objectStore('entries').getAll(keysBetween(room, from, to));
  await tx.objectStore('entries').delete(keysBetween(room, from, to));
  if (from === span.from) await tx.objectStore('spans').delete([room, from]);
  else await tx.objectStore('spans').put({ ...span, to: from - 1 });
  if (entries.length !== count || !isContiguous(entries, from)) return count; // the database was damaged: the entries are fetched again
  if (await conflictsWithStored(tx, { room, entries, amendments: [], amendedTo, opens: true }))
    throw new LogsDiffer(room);
  for (const piece of subtractRanges({ from, to }, await readSpans(tx, room))) {
    const fresh = entries.slice(piece.from - from, piece.to - from + 1); // the others were fetched meanwhile
    await storeEntries(tx, { room, entries: fresh, amendments: [], amendedTo, opens: true });
  }
  return count;
}

/** The old stores have another entry at the same serverOffset as the new ones: the server's data was restored. */
class LogsDiffer extends Error {
  readonly room: string;

  constructor(room: string) {
    super('the stored entries belong to two different logs');
    this.name = 'LogsDiffer';
    this.room = room;
  }
}
