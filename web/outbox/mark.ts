/** The transactions before sending: marking what is about to be sent, and what an earlier life left behind. */
import { assertNever } from '../../shared/never.ts';
import type { Item } from '../../shared/protocol/index.ts';
import type { UserDatabase, UserWrite } from '../db/schema.ts';
import { bytesOf, type Limits, nextBatch } from './batch.ts';
import { claim, type Fence, isMine } from './fence.ts';
import { itemOf, type Row, roomsOf, step } from './row.ts';

export interface Marked {
  items: Item[];
  bytes: number;
  rooms: string[];
}

/**
 * Marks the next batch as attempted, and returns exactly what it read: only that may be sent (O4). Whoever calls this
 * holds the lock, so that what else still says `sending` was left by a tab that is gone. `not-mine`: the lock was
 * stolen, and nothing was marked.
 */
export function mark(
  db: UserDatabase,
  limits: Limits,
  holder: string,
  fence: Fence,
): Promise<Marked | 'not-mine'> {
  return db.write(['rows', 'meta'], async (tx) => {
    if (!(await passes(tx, holder, fence))) return 'not-mine';
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

function left(rows: readonly Row[]): Row[] {
  return rows.filter((row) => row.state.tag === 'sending').map((row) => step(row, { type: 'unanswered' }));
}
