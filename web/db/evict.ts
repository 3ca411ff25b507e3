/**
 * What gives way on a device that is full. The log is a copy and can be fetched again; what a person wrote is there only
 * once: rows, drafts and marks are never touched (O4).
 */
import { EVICT_SLICE_ENTRIES, KEPT_NEWEST_ENTRIES } from '../records/pageLimits.ts';
import {
  HELD_STORES,
  ofRoom,
  type RoomSpan,
  UNMOVED_STORES,
  type UserDatabase,
  type UserRead,
  type UserWrite,
  within,
} from './schema.ts';

/**
 * Forgets the older half of what is held, of the largest rooms first; of each room the newest stay. In transactions of at
 * most EVICT_SLICE_ENTRIES entries each, with their spans (S1): a log may be so long that one would take seconds. False when
 * there was nothing to forget. It needs some bytes itself, for the spans that are cut.
 */
export async function makeRoom(db: UserDatabase): Promise<boolean> {
  const rooms = (await db.read(['spans', 'logSpans'], spareRooms)).sort((a, b) => b.spare - a.spare);
  let wanted = Math.ceil(rooms.reduce((sum, { spare }) => sum + spare, 0) / 2);
  let isAny = false;
  for (const { room, spare } of rooms) {
    for (let left = spare; wanted > 0 && left > 0; ) {
      const most = Math.min(wanted, left, EVICT_SLICE_ENTRIES);
      const forgotten = await db.write([...HELD_STORES, ...UNMOVED_STORES], (tx) =>
        forgetOldest(tx, room, most),
      );
      if (forgotten === 0) break; // another tab has forgotten it
      isAny = true;
      wanted -= forgotten;
      left -= forgotten;
    }
  }
  return isAny;
}

/** Each room with how many entries more it has than have to stay. The spans say how many there are (S1). */
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
 * The oldest so many entries of a room, fewer where only the newest are left; resolves with how many. What an older version
 * held and is not moved yet is the oldest: what amends it stands behind it, in what has moved, and goes after it (S3).
 */
async function forgetOldest(tx: UserWrite, room: string, most: number): Promise<number> {
  const unmoved = await tx.objectStore('spans').getAll(ofRoom(room));
  const moved = await tx.objectStore('logSpans').getAll(ofRoom(room));
  const count = Math.min(most, spareOf([...unmoved, ...moved]));
  const first = await forgetIn(tx, UNMOVED_STORES, room, count);
  return first + (await forgetIn(tx, HELD_STORES, room, count - first));
}

/** With the spans over them, and the entries outside of spans that only they gave a meaning. */
async function forgetIn(
  tx: UserWrite,
  [entries, spans, outside]: typeof HELD_STORES | typeof UNMOVED_STORES,
  room: string,
  count: number,
): Promise<number> {
  if (count === 0) return 0;
  const oldest = await tx.objectStore(entries).getAllKeys(ofRoom(room), count);
  const last = oldest.at(-1)?.[1];
  if (last === undefined) return 0;
  const gone = within(room, 0, last);
  await tx.objectStore(entries).delete(gone);
  const detached = tx.objectStore(outside);
  for (const key of await detached.index('target').getAllKeys(gone)) await detached.delete(key);
  const covered = tx.objectStore(spans);
  for (const span of await covered.getAll(gone)) {
    await covered.delete([room, span.from]);
    if (span.to > last) await covered.put({ ...span, from: last + 1 });
  }
  return oldest.length;
}
