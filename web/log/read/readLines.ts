/**
 * Reads rendered lines of a stored log: a page backwards or forwards from a serverOffset, and the newest line of a room. And
 * counts the unread messages of others: in the database for the ranges that are held, by the server's count for the holes.
 */
import type { Entry } from '../../../shared/entry.ts';
import { fold, isLine, type Line } from '../../../shared/fold.ts';
import { isAmendment, isMessage, isRemoval, mayAmend, subjectOf } from '../../../shared/kinds.ts';
import { UNREAD_COUNTED_MAX } from '../../../shared/limits.ts';
import { getOnce, hasNoDetached, readSpans } from '../../db/lookups.ts';
import { keysBetween, type UserRead } from '../../db/userDatabase.ts';
import { cursorOf, type OffsetRange, subtractRanges } from '../../records/spans.ts';
import type { CountedUnread, LocalRoom } from '../../records/storedRecords.ts';

/** At most `count` stored lines, the newest at or below `to`, ascending. Skips holes. */
export async function readLinesBack(tx: UserRead, room: string, to: number, count: number): Promise<Entry[]> {
  if (count <= 0 || to < 0) return [];
  void hasNoDetached(tx, room).catch(() => {}); // asked meanwhile
  const index = tx.objectStore('log').index('line');
  let cursor = await index.openKeyCursor(keysBetween(room, 0, to), 'prev');
  const isNone = !cursor;
  if (count > 1) cursor = (await cursor?.advance(count - 1)) ?? null;
  const least = (cursor?.key[1] ?? 0) as number; // as the range has it
  const [held, detached] = await Promise.all([
    isNone ? [] : index.getAll(keysBetween(room, least, to)),
    detachedLines(tx, room, least, to),
  ]);
  return merged(held, detached).slice(-count);
}

/** At most `count` stored lines, the oldest at or above `from`, ascending. */
export async function readLinesForward(
  tx: UserRead,
  room: string,
  from: number,
  count: number,
): Promise<Entry[]> {
  const end = Number.POSITIVE_INFINITY;
  const held = await tx
    .objectStore('log')
    .index('line')
    .getAll(keysBetween(room, from, end), count);
  const most = held.length < count ? end : held.at(-1)!.serverOffset;
  return merged(held, await detachedLines(tx, room, from, most)).slice(0, count);
}

/** Lines stored outside all spans. */
async function detachedLines(tx: UserRead, room: string, from: number, to: number): Promise<Entry[]> {
  if (await hasNoDetached(tx, room)) return [];
  return (await tx.objectStore('detached').getAll(keysBetween(room, from, to))).filter(isLine);
}

function merged(some: readonly Entry[], others: readonly Entry[]): Entry[] {
  return [...some, ...others].sort((a, b) => a.serverOffset - b.serverOffset);
}

/** Folds these lines with all their stored amendments. */
export async function foldLines(tx: UserRead, room: string, lines: readonly Entry[]): Promise<Line[]> {
  if (lines.length === 0) return [];
  const amendments = await Promise.all(
    (['log', 'detached'] as const).map((name) => amending(tx, name as 'log', room, lines)),
  );
  return fold(lines, amendments.flat());
}

/**
 * The stored amendments of the lines. If there are MOST_ENTRIES or more, only the last of each line: a removed line is
 * redacted in the store (store/storeEntries.ts), so its removal is not needed.
 */
async function amending(tx: UserRead, store: 'log', room: string, lines: readonly Entry[]) {
  if (store !== 'log' && (await hasNoDetached(tx, room))) return [];
  const index = tx.objectStore(store).index('target');
  const all = keysBetween(room, lines[0]!.serverOffset, lines.at(-1)!.serverOffset);
  const some: Entry[] = await index.getAll(all, MOST_ENTRIES);
  if (some.length < MOST_ENTRIES) return some;
  const lasts = lines.map(async (line) => {
    let cursor = await index.openCursor(keysBetween(room, line.serverOffset, line.serverOffset), 'prev');
    while (cursor && !(isAmendment(cursor.value) && mayAmend(cursor.value, line)))
      cursor = await cursor.continue();
    return cursor?.value ?? [];
  });
  return (await Promise.all(lasts)).flat();
}

/** The newest line of a room's log, without outbox rows. */
export async function readLastLine(tx: UserRead, room: string): Promise<Line | undefined> {
  return (await foldLines(tx, room, await readLinesBack(tx, room, Number.POSITIVE_INFINITY, 1)))[0];
}

const MOST_ENTRIES = 512;

/** Others' messages after the read marker, counted up to UNREAD_COUNTED_MAX. */
export async function countUnread(tx: UserRead, room: LocalRoom, me: string): Promise<number> {
  return countOthers(tx, room.id, me, await readUpToOf(tx, room), room.unread);
}

/**
 * Where others' unread messages begin, to open a room there. `isHeld`: the message at `offset` is the first one. Otherwise a
 * hole begins at `offset`, and the first one may be in it.
 */
export interface FirstUnread {
  offset: number;
  isHeld: boolean;
}

/** Undefined if nothing is unread. Skips holes in which, by the server's count, nothing is unread. */
export async function findFirstUnread(
  tx: UserRead,
  room: LocalRoom,
  me: string,
): Promise<FirstUnread | undefined> {
  const { id, unread: counted } = room;
  const upTo = await readUpToOf(tx, room);
  const spans = await readSpans(tx, id);
  const held = await findUnreadAfter(tx, id, me, upTo);
  const end = held === undefined ? Math.max(cursorOf(spans), counted?.upTo ?? 0) : held - 1;
  const isKnown = counted && counted.count < UNREAD_COUNTED_MAX;
  const isNoneMissing = isKnown && (await countMissing(tx, id, me, counted)) === 0;
  const from = (isNoneMissing ? Math.max(upTo, counted.upTo) : upTo) + 1;
  const [hole] = from <= end ? subtractRanges({ from, to: end }, spans) : [];
  if (hole) return { offset: hole.from, isHeld: false };
  return held === undefined ? undefined : { offset: held, isHeld: true };
}

/** The first stored message of another user after `upTo` that is not deleted. */
async function findUnreadAfter(tx: UserRead, room: string, me: string, upTo: number) {
  for (let from = upTo + 1; ; ) {
    const lines = await readLinesForward(tx, room, from, PAGE_LINES);
    const found = lines.find((line) => isUnread(line, me));
    if (found || lines.length < PAGE_LINES) return found?.serverOffset;
    from = lines.at(-1)!.serverOffset + 1;
  }
}

/** The read marker, of this or another device. */
export async function readUpToOf(tx: UserRead, room: Pick<LocalRoom, 'id' | 'readUpTo'>): Promise<number> {
  return Math.max(room.readUpTo, (await getOnce(tx, 'marks', room.id))?.upTo ?? 0);
}

/**
 * Others' messages after `upTo` that are not deleted, counted up to UNREAD_COUNTED_MAX. For holes: the server's count
 * less the messages that are held. Where the server did not count, each entry of a hole counts as a message, so that
 * the number is never too small.
 */
export async function countOthers(
  tx: UserRead,
  room: string,
  me: string,
  upTo: number,
  counted?: CountedUnread,
): Promise<number> {
  const spans = await readSpans(tx, room);
  const end = Math.max(cursorOf(spans), counted?.upTo ?? 0);
  if (end <= upTo) return 0;
  const heldCount = await countHeld(tx, room, me, upTo, Number.POSITIVE_INFINITY);
  const holes = subtractRanges({ from: upTo + 1, to: end }, spans);
  if (heldCount >= UNREAD_COUNTED_MAX || holes.length === 0) return Math.min(heldCount, UNREAD_COUNTED_MAX);
  if (!counted || counted.count >= UNREAD_COUNTED_MAX)
    return Math.min(heldCount + entriesIn(holes), UNREAD_COUNTED_MAX);
  const countedHoles = holes.flatMap(({ from, to }) =>
    from <= counted.upTo ? { from, to: Math.min(to, counted.upTo) } : [],
  );
  const afterCount = entriesIn(holes) - entriesIn(countedHoles);
  const missingCount = await countMissing(tx, room, me, counted);
  return Math.min(
    heldCount + Math.min(missingCount, entriesIn(countedHoles)) + afterCount,
    UNREAD_COUNTED_MAX,
  );
}

/** Others' messages that the server counted and that are not stored. */
async function countMissing(tx: UserRead, room: string, me: string, counted: CountedUnread): Promise<number> {
  if (counted.count === 0) return 0;
  const removedCount = await countRemoved(tx, room, me, counted);
  const heldCount = await countHeld(tx, room, me, counted.after, counted.upTo);
  return Math.max(0, counted.count - heldCount - removedCount);
}

/** Others' messages in spans, after one entry and up to another, counted up to UNREAD_COUNTED_MAX. */
async function countHeld(
  tx: UserRead,
  room: string,
  me: string,
  after: number,
  upTo: number,
): Promise<number> {
  let count = 0;
  for (let from = after + 1; from <= upTo && count < UNREAD_COUNTED_MAX; ) {
    const lines = await readLinesForward(tx, room, from, PAGE_LINES);
    count += lines.filter((line) => line.serverOffset <= upTo && isUnread(line, me)).length;
    if (lines.length < PAGE_LINES) break;
    from = lines.at(-1)!.serverOffset + 1;
  }
  return count;
}

/** Messages in the server's count that were deleted since. */
async function countRemoved(
  tx: UserRead,
  room: string,
  me: string,
  { after, upTo }: CountedUnread,
): Promise<number> {
  const removed = new Set<number>();
  for (const name of ['log', 'detached'] as const) {
    const index = tx.objectStore(name as 'log').index('target');
    const about: Entry[] = await index.getAll(keysBetween(room, after + 1, upTo));
    for (const entry of about)
      if (isRemoval(entry) && entry.serverOffset > upTo && subjectOf(entry) !== me)
        removed.add(entry.target!);
  }
  return removed.size;
}

/** A message of another user that is not deleted. */
function isUnread(entry: Entry, me: string): boolean {
  return isMessage(entry) && !entry.deleted && !entry.unreadable && entry.author !== me;
}

function entriesIn(holes: readonly OffsetRange[]): number {
  return holes.reduce((sum, { from, to }) => sum + to - from + 1, 0);
}

const PAGE_LINES = UNREAD_COUNTED_MAX;
