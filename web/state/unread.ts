/** How many lines of others there are that a person has not read, from what is held. */
import { UNREAD_COUNTED_MAX } from '../../shared/limits.ts';
import { ofRoom, type StoredRoom, type UserRead, within } from '../db/schema.ts';

/** Others' lines after what a person has read, counted up to UNREAD_COUNTED_MAX. */
export async function countUnread(tx: UserRead, room: StoredRoom, me: string): Promise<number> {
  return countOthers(tx, room.id, me, await readUpToOf(tx, room));
}

/** Up to where a person has read, here or on another device. */
export async function readUpToOf(tx: UserRead, room: Pick<StoredRoom, 'id' | 'readUpTo'>): Promise<number> {
  return Math.max(room.readUpTo, (await tx.objectStore('marks').get(room.id))?.upTo ?? 0);
}

/**
 * Others' texts after `upTo`, counted up to UNREAD_COUNTED_MAX. What is missing below the newest span counts as if each
 * entry were one: more than is known is said rather than less.
 */
export async function countOthers(tx: UserRead, room: string, me: string, upTo: number): Promise<number> {
  const newest = (await tx.objectStore('spans').getAll(ofRoom(room))).at(-1);
  if (!newest || newest.to <= upTo) return 0;
  const missing = Math.max(0, newest.from - 1 - upTo);
  if (missing >= UNREAD_COUNTED_MAX) return UNREAD_COUNTED_MAX;
  let count = missing;
  for (let to = newest.to; to > Math.max(upTo, newest.from - 1); to -= CHUNK_ENTRIES) {
    const from = Math.max(upTo + 1, newest.from, to - CHUNK_ENTRIES + 1);
    const entries = await tx.objectStore('entries').getAll(within(room, from, to));
    count += entries.filter((entry) => entry.kind === 'text' && entry.author !== me).length;
    if (count >= UNREAD_COUNTED_MAX) return UNREAD_COUNTED_MAX;
  }
  return count;
}

const CHUNK_ENTRIES = 200;
