/** The drain's transactions: marking what is about to be sent, and storing what became of it. */
import type { Item } from '../../shared/protocol/index.ts';
import type { UserDatabase, UserWrite } from '../db/schema.ts';
import { LOG_STORES } from '../log/hold.ts';
import { bytesOf, type Limits, nextBatch } from './batch.ts';
import { itemOf, type Row, step } from './row.ts';
import { remove, repoint } from './rows.ts';
import { settleAcknowledged } from './settle.ts';
import type { Verdict } from './verdicts.ts';

export interface Marked {
  items: Item[];
  bytes: number;
  rooms: string[];
}

/**
 * Marks the next batch as attempted, and returns exactly what it read: only that may be sent (O4). Whoever calls this
 * holds the lock, so that what else still says `sending` was left by a tab that is gone.
 */
export function mark(db: UserDatabase, limits: Limits): Promise<Marked> {
  return db.write(['rows'], async (tx) => {
    const rows = tx.objectStore('rows');
    const all = await rows.getAll();
    const batch = nextBatch(all, limits);
    const changed = [
      ...batch.map((row) => step(row, { type: 'attempted' })),
      ...left(all.filter((row) => !batch.includes(row))),
    ];
    for (const row of changed) await rows.put(row);
    const bytes = batch.reduce((sum, row) => sum + bytesOf(row), 0);
    return { items: batch.map(itemOf), bytes, rooms: roomsOf(changed) };
  });
}

/** What still says `sending` although nobody sends becomes `checking` (O3). Returns the rooms in which something did. */
export function recover(db: UserDatabase): Promise<string[]> {
  return db.write(['rows'], async (tx) => {
    const changed = left(await tx.objectStore('rows').getAll());
    for (const row of changed) await tx.objectStore('rows').put(row);
    return roomsOf(changed);
  });
}

/** Stores what became of each item; a row that an echo settled meanwhile stays settled. Returns the rooms concerned. */
export function storeVerdicts(
  db: UserDatabase,
  me: string,
  verdicts: readonly Verdict[],
  newKey: () => string,
) {
  return db.write(LOG_STORES, async (tx) => {
    const concerned: Row[] = [];
    for (const verdict of verdicts) {
      const row = await tx.objectStore('rows').index('clientOffset').get(verdict.clientOffset);
      if (!row) continue;
      concerned.push(row);
      await storeVerdict(tx, me, row, verdict, newKey);
    }
    return roomsOf(concerned);
  });
}

async function storeVerdict(tx: UserWrite, me: string, row: Row, verdict: Verdict, newKey: () => string) {
  const rows = tx.objectStore('rows');
  if (verdict.type === 'acknowledged') {
    await settleAcknowledged(tx, me, row, verdict.serverOffset, verdict.at);
    return;
  }
  if (verdict.type !== 'refused') {
    await rows.put(step(row, verdict));
    return;
  }
  const uncertain = row.kind === 'delete' && (await rows.index('clientOffset').get(row.target));
  if (uncertain && verdict.error.code === 'not-found') {
    // The text to be deleted was parked as uncertain. Now it is certain: it is not in the log, and nobody wants it.
    await rows.delete(row.seq);
    await remove(tx, uncertain);
    return;
  }
  const after = step(row, { ...verdict, newKey: newKey() });
  await rows.put(after);
  if (after.clientOffset !== row.clientOffset) await repoint(tx, row, after.clientOffset);
}

function left(rows: readonly Row[]): Row[] {
  return rows.filter((row) => row.state.tag === 'sending').map((row) => step(row, { type: 'unanswered' }));
}

function roomsOf(rows: readonly Row[]): string[] {
  return [...new Set(rows.map((row) => row.room))];
}
