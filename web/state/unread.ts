/** How many lines of others there are that a person has not read, from what is held. */
import type { Entry } from '../../shared/entry.ts';
import { isMessage } from '../../shared/kinds.ts';
import { UNREAD_COUNTED_MAX } from '../../shared/limits.ts';
import type { StoredRoom, UserRead } from '../db/schema.ts';
import { chunksBack } from '../log/lines.ts';
import type { Quiet } from '../log/quiet.ts';
import { spansOf } from '../log/readSpans.ts';
import { cursorOf, type Span } from '../log/spans.ts';

/** Others' lines after what a person has read, counted up to UNREAD_COUNTED_MAX. */
export async function countUnread(
  tx: UserRead,
  room: StoredRoom,
  me: string,
  quiet?: Quiet,
): Promise<number> {
  return countOthers(tx, room.id, me, await readUpToOf(tx, room), quiet);
}

/** Up to where a person has read, here or on another device. */
export async function readUpToOf(tx: UserRead, room: Pick<StoredRoom, 'id' | 'readUpTo'>): Promise<number> {
  return Math.max(room.readUpTo, (await tx.objectStore('marks').get(room.id))?.upTo ?? 0);
}

/**
 * Others' messages after `upTo`, counted up to UNREAD_COUNTED_MAX. What lies in a hole counts as if each entry were one: more
 * than is known is said rather than less.
 */
export async function countOthers(
  tx: UserRead,
  room: string,
  me: string,
  upTo: number,
  quiet?: Quiet,
): Promise<number> {
  const spans = await spansOf(tx, room);
  if (cursorOf(spans) <= upTo) return 0;
  let count = 0;
  let counted = cursorOf(spans) + 1; // from here on
  for (const { from, to } of [...spans].reverse().concat(NOTHING_HELD)) {
    const least = Math.max(from, upTo + 1);
    count += Math.max(0, counted - 1 - Math.max(to, upTo));
    for await (const chunk of chunksBack(tx, room, least, to, CHUNK_ENTRIES, quiet)) {
      count += chunk.filter((entry) => isUnread(entry, me)).length;
      if (count >= UNREAD_COUNTED_MAX) break;
    }
    counted = least;
  }
  return Math.min(count, UNREAD_COUNTED_MAX);
}

/** A message of somebody else's that was not deleted. */
function isUnread(entry: Entry, me: string): boolean {
  return isMessage(entry) && !entry.deleted && !entry.unreadable && entry.author !== me;
}

/** Below all that is held. */
const NOTHING_HELD: Span = { from: 0, to: 0, amendedTo: 0 };
const CHUNK_ENTRIES = 200;
