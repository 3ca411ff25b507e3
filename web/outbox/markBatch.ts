/**
 * The transactions before sending: marks the rows of the next batch as attempted, and recovers rows that an earlier holder
 * of the lock left behind.
 *
 * They check a fencing token: the id of the tab or worker that may send, in the store `meta`. The lock can be stolen
 * from a frozen tab, which does not know this when it continues. The token is checked in the same transaction that marks; a query of
 * the lock would not be atomic with it (S5).
 */
import { APPEND_MAX_ITEMS } from '../../shared/limits.ts';
import { assertNever } from '../../shared/never.ts';
import type { Item } from '../../shared/protocol/index.ts';
import { readFeatures } from '../db/features.ts';
import { parkedWithRoom } from '../db/settleRows.ts';
import type { UserDatabase, UserWrite } from '../db/userDatabase.ts';
import { readGeneration } from '../log/store/generation.ts';
import { applyRowEvent, isWaiting, itemOf, type Row, roomsOf } from '../records/row.ts';
import { type AppendBatch, type BatchLimits, createAppendBatch, type HeldBack } from './appendBatch.ts';

export interface Marked {
  items: Item[];
  bytes: number;
  rooms: string[];
  /** No other row waits. */
  isAll: boolean;
  /** Only the rows of `items` changed. */
  isOnlyItems: boolean;
  /** The generation of the stored logs (log/store/generation.ts). */
  generation: number;
}

export interface Marking {
  limits: BatchLimits;
  /** Rooms whose rows are not sent now. */
  without: ReadonlySet<string>;
  fenceToken: string;
  fenceCheck: FenceCheck;
  /** Also recover rows that are `sending` although they are not in flight. */
  sweep: boolean;
  /** Asked whenever the transaction begins, also again (db/transactionQueue.ts): what cannot be sent stays as it is (O4). */
  mayMark(): boolean;
}

/**
 * Marks the next batch as attempted and resolves with exactly the items it read: only those may be sent (O4). The caller
 * holds the lock, so other `sending` rows were left behind by a tab that is gone. `not-marked`: the lock was stolen, or nothing
 * may be marked any more.
 */
export function markBatch(
  db: UserDatabase,
  { limits, without, fenceToken, fenceCheck, sweep, mayMark }: Marking,
): Promise<Marked | 'not-marked'> {
  return db.write(['rows', 'meta'], async (tx) => {
    if (!mayMark() || !(await passesFence(tx, fenceToken, fenceCheck))) return 'not-marked';
    const rows = tx.objectStore('rows');
    const { batch, isAll } = await readBatch(tx, limits, {
      features: await readFeatures(tx),
      rooms: without,
    });
    const changed = batch.rows.map((row) => applyRowEvent(row, { type: 'attempted' }));
    if (sweep) {
      const now = new Set(batch.rows.map((row) => row.seq));
      changed.push(...(await unanswered(tx)).filter((row) => !now.has(row.seq)));
    }
    changed.push(...batch.withoutRoom.map(parkedWithRoom));
    for (const row of changed) await rows.put(row);
    const generation = await readGeneration(tx);
    return {
      items: batch.rows.map(itemOf),
      bytes: batch.bytes,
      rooms: roomsOf(changed),
      isAll,
      isOnlyItems: changed.length === batch.rows.length,
      generation,
    };
  });
}

/** Reads only as far as the batch goes: a long queue is not read for each append. `isAll`: no other row waits. */
async function readBatch(
  tx: UserWrite,
  limits: BatchLimits,
  heldBack: HeldBack,
): Promise<{ batch: AppendBatch; isAll: boolean }> {
  const batch = createAppendBatch(limits, heldBack);
  let waiting = 0;
  for (let after = 0; ; ) {
    const page = await tx.objectStore('rows').getAll(IDBKeyRange.lowerBound(after, true), PAGE_ROWS);
    const goesOn = page.every((row) => batch.offer(row));
    waiting += page.filter(isWaiting).length;
    if (!goesOn || page.length < PAGE_ROWS)
      return { batch, isAll: page.length < PAGE_ROWS && waiting === batch.rows.length };
    after = page.at(-1)!.seq;
  }
}

/**
 * Changes `sending` rows that are not in flight to `checking` (O3). Resolves with their rooms. The caller holds the lock, or
 * passes the `fenceToken` of a holder that has just ended: then nothing is changed if another holder has begun since.
 */
export function recoverUnanswered(db: UserDatabase, fenceToken?: string): Promise<string[]> {
  return db.write(
    ['rows', 'meta'],
    async (tx) => {
      if (fenceToken !== undefined && !(await holdsFence(tx, fenceToken))) return [];
      const changed = await unanswered(tx);
      for (const row of changed) await tx.objectStore('rows').put(row);
      return roomsOf(changed);
    },
    'relaxed',
  );
}

async function passesFence(tx: UserWrite, fenceToken: string, fenceCheck: FenceCheck): Promise<boolean> {
  switch (fenceCheck) {
    case 'claim':
      await claimFence(tx, fenceToken);
      return true;
    case 'verify':
      return holdsFence(tx, fenceToken);
    case 'none':
      return true;
    default:
      return assertNever(fenceCheck);
  }
}

async function unanswered(tx: UserWrite): Promise<Row[]> {
  const sending = IDBKeyRange.bound(['sending'], ['sending', []]);
  const rows = await tx.objectStore('rows').index('state').getAll(sending);
  return rows.map((row) => applyRowEvent(row, { type: 'unanswered' }));
}

/** A full append, and the row after it. */
const PAGE_ROWS = APPEND_MAX_ITEMS + 1;

/**
 * What marking does with the fencing token. `claim`: writes it, since the lock was just acquired. `verify`: checks it, since
 * the lock may have been stolen. `none`: the browser has no locks. Then drains overlap, and the server finds repeats by key.
 */
export type FenceCheck = 'claim' | 'verify' | 'none';

/** From now on only the holder with this token may send. */
export async function claimFence(tx: UserWrite, fenceToken: string): Promise<void> {
  await tx.objectStore('meta').put(fenceToken, 'drain');
}

export async function holdsFence(tx: UserWrite, fenceToken: string): Promise<boolean> {
  return (await tx.objectStore('meta').get('drain')) === fenceToken;
}
