/**
 * What gives way on a device that is full. The log is a copy and can be fetched again; what a person wrote is there only
 * once: rows, drafts and marks are never touched (O4).
 */
import { KEPT_NEWEST_ENTRIES } from '../../shared/limits.ts';
import { ofRoom, type UserDatabase, type UserWrite, within } from './schema.ts';

/**
 * Forgets the older half of what is held, of the largest rooms first, in one transaction with the spans (S1); of each
 * room the newest stay. False when there was nothing to forget. It needs some bytes itself, for the spans that are cut.
 */
export function makeRoom(db: UserDatabase): Promise<boolean> {
  return db.write(['log', 'logSpans', 'detached'], async (tx) => {
    const sizes = (await heldRooms(tx)).sort((a, b) => b.spare - a.spare);
    const spare = sizes.reduce((sum, room) => sum + room.spare, 0);
    let wanted = Math.ceil(spare / 2);
    for (const { room, spare } of sizes) {
      if (wanted <= 0) break;
      const count = Math.min(spare, wanted);
      await forgetOldest(tx, room, count);
      wanted -= count;
    }
    return spare > 0;
  });
}

interface HeldRoom {
  room: string;
  /** So many entries more than have to stay. */
  spare: number;
}

async function heldRooms(tx: UserWrite): Promise<HeldRoom[]> {
  const rooms = new Set((await tx.objectStore('logSpans').getAll()).map((span) => span.room));
  const counted: HeldRoom[] = [];
  for (const room of rooms) {
    const held = await tx.objectStore('log').count(ofRoom(room));
    counted.push({ room, spare: Math.max(0, held - KEPT_NEWEST_ENTRIES) });
  }
  return counted;
}

/** The oldest so many entries, the spans over them, and the loose entries that only they gave a meaning. */
async function forgetOldest(tx: UserWrite, room: string, count: number): Promise<void> {
  const oldest = await tx.objectStore('log').getAllKeys(ofRoom(room), count);
  const last = oldest.at(-1)?.[1];
  if (last === undefined) return;
  const gone = within(room, 0, last);
  await tx.objectStore('log').delete(gone);
  const loose = tx.objectStore('detached');
  for (const key of await loose.index('target').getAllKeys(gone)) await loose.delete(key);
  const spans = tx.objectStore('logSpans');
  for (const span of await spans.getAll(gone)) {
    await spans.delete([room, span.from]);
    if (span.to > last) await spans.put({ ...span, from: last + 1 });
  }
}
