/**
 * Eviction on a full device. The log is a copy and can be fetched again, so old entries are deleted. What the user wrote
 * exists only here: rows, drafts and read markers are never deleted (O4).
 */
import { DELETE_SLICE_ENTRIES, KEPT_NEWEST_ENTRIES } from '../records/pageLimits.ts';
import type { RoomSpan } from '../records/storedRecords.ts';
import {
  keysBetween,
  keysOfRoom,
  LEGACY_LOG_STORES,
  LOG_STORES,
  type UserDatabase,
  type UserRead,
  type UserWrite,
} from './userDatabase.ts';

/**
 * Deletes half of the entries above KEPT_NEWEST_ENTRIES per room: from the largest rooms first, of each the oldest.
 * One transaction deletes at most DELETE_SLICE_ENTRIES entries, with their spans (S1), since one for a whole log could take
 * seconds. False if there was nothing to delete. Needs a few bytes itself, to shorten spans.
 */
export async function freeSpace(db: UserDatabase): Promise<boolean> {
  const rooms = (await db.read(['spans', 'logSpans'], spareRooms)).sort((a, b) => b.spare - a.spare);
  let wanted = Math.ceil(rooms.reduce((sum, { spare }) => sum + spare, 0) / 2);
  let isAny = false;
  for (const { room, spare } of rooms) {
    for (let left = spare; wanted > 0 && left > 0; ) {
      const most = Math.min(wanted, left, DELETE_SLICE_ENTRIES);
      const evicted = await db.write([...LOG_STORES, ...LEGACY_LOG_STORES, 'reactions'], (tx) =>
        evictOldest(tx, room, most),
      );
      if (evicted === 0) break; // another tab has deleted them
      isAny = true;
      wanted -= evicted;
      left -= evicted;
    }
  }
  return isAny;
}

/** Each room with its number of entries that may be deleted. Spans give the number of stored entries (S1). */
async function spareRooms(tx: UserRead): Promise<{ room: string; spare: number }[]> {
  const spans = [...(await tx.objectStore('spans').getAll()), ...(await tx.objectStore('logSpans').getAll())];
  return [...new Set(spans.map(({ room }) => room))].map((room) => ({
    room,
    spare: spareOf(spans.filter((span) => span.room === room)),
  }));
}

function spareOf(spans: readonly RoomSpan[]): number {
  const held = spans.reduce((sum, { from, to }) => sum + to - from + 1, 0);
  return Math.max(0, held - KEPT_NEWEST_ENTRIES);
}

/**
 * Deletes at most `most` of a room's oldest entries, and none of those to keep; resolves with the number. Entries in the
 * legacy stores are older than all others. Their amendments are newer, so those are deleted later (S3).
 */
async function evictOldest(tx: UserWrite, room: string, most: number): Promise<number> {
  const legacy = await tx.objectStore('spans').getAll(keysOfRoom(room));
  const current = await tx.objectStore('logSpans').getAll(keysOfRoom(room));
  const count = Math.min(most, spareOf([...legacy, ...current]));
  const first = await evictFrom(tx, LEGACY_LOG_STORES, room, count);
  return first + (await evictFrom(tx, LOG_STORES, room, count - first));
}

/** Also shortens the spans over them, and deletes the detached amendments that refer to them. */
async function evictFrom(
  tx: UserWrite,
  [entryStore, spanStore, detachedStore]: typeof LOG_STORES | typeof LEGACY_LOG_STORES,
  room: string,
  count: number,
): Promise<number> {
  if (count === 0) return 0;
  const oldest = await tx.objectStore(entryStore).getAllKeys(keysOfRoom(room), count);
  const last = oldest.at(-1)?.[1];
  if (last === undefined) return 0;
  const evictedKeys = keysBetween(room, 0, last);
  await tx.objectStore(entryStore).delete(evictedKeys);
  await tx.objectStore('reactions').delete(evictedKeys);
  const detached = tx.objectStore(detachedStore);
  for (const key of await detached.index('target').getAllKeys(evictedKeys)) await detached.delete(key);
  const storedSpans = tx.objectStore(spanStore);
  for (const span of await storedSpans.getAll(evictedKeys)) {
    await storedSpans.delete([room, span.from]);
    if (span.to > last) await storedSpans.put({ ...span, from: last + 1 });
  }
  return oldest.length;
}
