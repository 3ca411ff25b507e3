/** How many lines of others there are that a person has not read, from what is held. */
import { UNREAD_COUNTED_MAX } from '../../shared/limits.ts';
import { type StoredRoom, type UserRead, within } from '../db/schema.ts';
import { spansOf } from '../log/hold.ts';
import { cursorOf, type Span } from '../log/spans.ts';

/** Others' lines after what a person has read, counted up to UNREAD_COUNTED_MAX. `last` is the newest line, if known. */
export async function countUnread(
  tx: UserRead,
  room: StoredRoom,
  me: string,
  last?: number,
): Promise<number> {
  return countOthers(tx, room.id, me, await readUpToOf(tx, room), last);
}

/** Up to where a person has read, here or on another device. */
export async function readUpToOf(tx: UserRead, room: Pick<StoredRoom, 'id' | 'readUpTo'>): Promise<number> {
  return Math.max(room.readUpTo, (await tx.objectStore('marks').get(room.id))?.upTo ?? 0);
}

/**
 * Others' texts after `upTo`, counted up to UNREAD_COUNTED_MAX. What lies in a hole counts as if each entry were one: more
 * than is known is said rather than less.
 */
export async function countOthers(
  tx: UserRead,
  room: string,
  me: string,
  upTo: number,
  last = Number.POSITIVE_INFINITY,
): Promise<number> {
  const spans = await spansOf(tx, room);
  if (cursorOf(spans) <= upTo) return 0;
  let count = 0;
  let counted = cursorOf(spans) + 1; // from here on
  for (const { from, to } of [...spans].reverse().concat(NOTHING_HELD)) {
    const least = Math.max(from, upTo + 1);
    count += Math.max(0, counted - 1 - Math.max(to, upTo));
    for (let end = Math.min(to, last); end >= least && count < UNREAD_COUNTED_MAX; end -= CHUNK_ENTRIES) {
      const range = within(room, Math.max(least, end - CHUNK_ENTRIES + 1), end);
      const entries = await tx.objectStore('entries').getAll(range);
      count += entries.filter((entry) => entry.kind === 'text' && entry.author !== me).length;
    }
    counted = least;
  }
  return Math.min(count, UNREAD_COUNTED_MAX);
}

/** Below all that is held. */
const NOTHING_HELD: Span = { from: 0, to: 0, amendedTo: 0 };
const CHUNK_ENTRIES = 200;
