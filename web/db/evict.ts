/**
 * What gives way on a device that is full. The log is a copy and can be fetched again; what a person wrote is there only
 * once: rows, drafts and marks are never touched (O4).
 */
import { EVICT_SLICE_ENTRIES, KEPT_NEWEST_ENTRIES } from '../../shared/limits.ts';
import { HELD_STORES, ofRoom, UNMOVED_STORES, type UserDatabase, type UserWrite, within } from './schema.ts';

/**
 * Forgets the older half of what is held, of the largest rooms first; of each room the newest stay. In transactions of at
 * most EVICT_SLICE_ENTRIES entries each, with their spans (S1): a log may be so long that one would take seconds. False when
 * there was nothing to forget. It needs some bytes itself, for the spans that are cut.
 */
export async function makeRoom(db: UserDatabase): Promise<boolean> {
  const logs = (await db.read(STORES, heldLogs)).sort((a, b) => b.spare - a.spare);
  let wanted = Math.ceil(logs.reduce((sum, { spare }) => sum + spare, 0) / 2);
  let isAny = false;
  for (const log of logs) {
    while (wanted > 0 && log.spare > 0) {
      const most = Math.min(wanted, log.spare, EVICT_SLICE_ENTRIES);
      const forgotten = await db.write(log.stores, (tx) => forgetOldest(tx, log, most));
      if (forgotten === 0) break; // another tab has forgotten it
      isAny = true;
      wanted -= forgotten;
      log.spare -= forgotten;
    }
  }
  return isAny;
}

const STORES = [...HELD_STORES, ...UNMOVED_STORES] as const;

/** What one set of stores holds of one room's log. */
interface HeldLog {
  stores: typeof HELD_STORES | typeof UNMOVED_STORES;
  room: string;
  /** So many entries more than have to stay. */
  spare: number;
}

/** What an older version of the app held counts too, where it is not moved yet. */
async function heldLogs(tx: Parameters<Parameters<UserDatabase['read']>[1]>[0]): Promise<HeldLog[]> {
  const logs: HeldLog[] = [];
  for (const stores of [UNMOVED_STORES, HELD_STORES]) {
    const [entries, spans] = stores;
    const rooms = new Set((await tx.objectStore(spans).getAll()).map(({ room }) => room));
    for (const room of rooms) {
      const held = await tx.objectStore(entries).count(ofRoom(room));
      logs.push({ stores, room, spare: Math.max(0, held - KEPT_NEWEST_ENTRIES) });
    }
  }
  return logs;
}

/**
 * Forgets the oldest so many entries, the spans over them, and the entries outside of spans that only they gave a meaning.
 * Resolves with how many there were: fewer where no more than the newest are left.
 */
async function forgetOldest(tx: UserWrite, { stores, room }: HeldLog, most: number): Promise<number> {
  const [entries, spans, outside] = stores;
  const oldest = await tx.objectStore(entries).getAllKeys(ofRoom(room), most + KEPT_NEWEST_ENTRIES);
  const count = Math.min(most, oldest.length - KEPT_NEWEST_ENTRIES);
  if (count <= 0) return 0;
  const last = oldest[count - 1]![1];
  const gone = within(room, 0, last);
  await tx.objectStore(entries).delete(gone);
  const detached = tx.objectStore(outside);
  for (const key of await detached.index('target').getAllKeys(gone)) await detached.delete(key);
  const covered = tx.objectStore(spans);
  for (const span of await covered.getAll(gone)) {
    await covered.delete([room, span.from]);
    if (span.to > last) await covered.put({ ...span, from: last + 1 });
  }
  return count;
}
