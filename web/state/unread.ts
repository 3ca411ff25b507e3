/**
 * The number of unread messages of others: counted in the database for the ranges that are held, and taken from the
 * server's count for the holes.
 */

import type { Entry } from '../../shared/entry.ts';
import { isMessage, isRemoval } from '../../shared/kinds.ts';
import { UNREAD_COUNTED_MAX } from '../../shared/limits.ts';
import { readSpans } from '../db/lookups.ts';
import { keysBetween, type UserRead } from '../db/userDatabase.ts';
import { readLinesBack } from '../log/read/readLines.ts';
import { cursorOf, type OffsetRange, subtractRanges } from '../records/spans.ts';
import type { CountedUnread, LocalRoom } from '../records/storedRecords.ts';

/** Others' messages after the read marker, counted up to UNREAD_COUNTED_MAX. */
export async function countUnread(tx: UserRead, room: LocalRoom, me: string): Promise<number> {
  return countOthers(tx, room.id, me, await readUpToOf(tx, room), room.unread);
}

/** The read marker, of this or another device. */
export async function readUpToOf(tx: UserRead, room: Pick<LocalRoom, 'id' | 'readUpTo'>): Promise<number> {
  return Math.max(room.readUpTo, (await tx.objectStore('marks').get(room.id))?.upTo ?? 0);
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
  const held = await countHeld(tx, room, me, upTo, Number.POSITIVE_INFINITY);
  const holes = subtractRanges({ from: upTo + 1, to: end }, spans);
  if (held >= UNREAD_COUNTED_MAX || holes.length === 0) return Math.min(held, UNREAD_COUNTED_MAX);
  if (!counted || counted.count >= UNREAD_COUNTED_MAX)
    return Math.min(held + entriesIn(holes), UNREAD_COUNTED_MAX);
  const described = holes.flatMap(({ from, to }) =>
    from <= counted.upTo ? { from, to: Math.min(to, counted.upTo) } : [],
  );
  const since = entriesIn(holes) - entriesIn(described);
  const removed = await countRemoved(tx, room, me, counted);
  const heldThen = await countHeld(tx, room, me, counted.after, counted.upTo);
  const unheld = Math.max(0, counted.count - heldThen - removed);
  return Math.min(held + Math.min(unheld, entriesIn(described)) + since, UNREAD_COUNTED_MAX);
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
  for (let to = upTo; to > after && count < UNREAD_COUNTED_MAX; ) {
    const lines = await readLinesBack(tx, room, to, PAGE_LINES);
    count += lines.filter((line) => line.serverOffset > after && isUnread(line, me)).length;
    to = lines.length < PAGE_LINES ? 0 : lines[0]!.serverOffset - 1;
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
      if (isRemoval(entry) && entry.serverOffset > upTo && entry.author !== me) removed.add(entry.target!);
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
