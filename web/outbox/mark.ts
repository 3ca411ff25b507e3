/** The transactions before sending: marking what is about to be sent, and what an earlier life left behind. */
import { APPEND_MAX_ITEMS } from '../../shared/limits.ts';
import { assertNever } from '../../shared/never.ts';
import type { Item } from '../../shared/protocol/index.ts';
import type { UserDatabase, UserWrite } from '../db/schema.ts';
import { generationIn } from '../log/generation.ts';
import { type Batch, createBatch, type HeldBack, type Limits } from './batch.ts';
import { featuresIn } from './features.ts';
import { claim, type Fence, isMine } from './fence.ts';
import { itemOf, type Row, roomsOf, step } from './row.ts';

export interface Marked {
  items: Item[];
  bytes: number;
  rooms: string[];
  /** Of the logs that they are sent to (log/generation.ts). */
  generation: number;
}

export interface Marking {
  limits: Limits;
  /** Rooms of which nothing goes now. */
  without: ReadonlySet<string>;
  holder: string;
  fence: Fence;
  /** Look for what still says `sending` although it is not sent now. */
  sweep: boolean;
}

/**
 * Marks the next batch as attempted, and returns exactly what it read: only that may be sent (O4). Whoever calls this
 * holds the lock, so that what else still says `sending` was left by a tab that is gone. `not-mine`: the lock was
 * stolen, and nothing was marked.
 */
export function mark(
  db: UserDatabase,
  { limits, without, holder, fence, sweep }: Marking,
): Promise<Marked | 'not-mine'> {
  return db.write(['rows', 'meta'], async (tx) => {
    if (!(await passes(tx, holder, fence))) return 'not-mine';
    const rows = tx.objectStore('rows');
    const batch = await readBatch(tx, limits, { features: await featuresIn(tx), rooms: without });
    const changed = batch.rows.map((row) => step(row, { type: 'attempted' }));
    if (sweep) {
      const now = new Set(batch.rows.map((row) => row.seq));
      changed.push(...(await left(tx)).filter((row) => !now.has(row.seq)));
    }
    for (const row of changed) await rows.put(row);
    const generation = await generationIn(tx);
    return { items: batch.rows.map(itemOf), bytes: batch.bytes, rooms: roomsOf(changed), generation };
  });
}

/** Reads no further than the batch goes: a long queue is not read whole for each append. */
async function readBatch(tx: UserWrite, limits: Limits, heldBack: HeldBack): Promise<Batch> {
  const batch = createBatch(limits, heldBack);
  for (let after = 0; ; ) {
    const page = await tx.objectStore('rows').getAll(IDBKeyRange.lowerBound(after, true), PAGE_ROWS);
    const goesOn = page.every((row) => batch.offer(row));
    if (!goesOn || page.length < PAGE_ROWS) return batch;
    after = page.at(-1)!.seq;
  }
}

/**
 * What still says `sending` although nobody sends becomes `checking` (O3). Returns the rooms in which something did. Who
 * calls it holds the lock, or names the `holder` that has just ended: then nothing is done if another has begun since.
 */
export function recover(db: UserDatabase, holder?: string): Promise<string[]> {
  return db.write(['rows', 'meta'], async (tx) => {
    if (holder !== undefined && !(await isMine(tx, holder))) return [];
    const changed = await left(tx);
    for (const row of changed) await tx.objectStore('rows').put(row);
    return roomsOf(changed);
  });
}

async function passes(tx: UserWrite, holder: string, fence: Fence): Promise<boolean> {
  switch (fence) {
    case 'claim':
      await claim(tx, holder);
      return true;
    case 'verify':
      return isMine(tx, holder);
    case 'none':
      return true;
    default:
      return assertNever(fence);
  }
}

async function left(tx: UserWrite): Promise<Row[]> {
  const sending = IDBKeyRange.bound(['sending'], ['sending', []]);
  const rows = await tx.objectStore('rows').index('state').getAll(sending);
  return rows.map((row) => step(row, { type: 'unanswered' }));
}

/** A whole append, and the row at which it ends. */
const PAGE_ROWS = APPEND_MAX_ITEMS + 1;
