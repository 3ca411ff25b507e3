/**
 * Who may send, written where sending begins: in the transaction that marks. A lock can be stolen from a tab that
 * stands still, and when it goes on it does not know; asking the locks would not be atomic with marking (S5).
 */
import type { UserWrite } from '../db/schema.ts';

/**
 * `claim`: the lock has just been got, whoever had it before is out. `verify`: it may have been stolen since. `none`:
 * the browser withholds locks, drains overlap, and the server's key makes that harmless.
 */
export type Fence = 'claim' | 'verify' | 'none';

/** From here on only this holder may send. */
export async function claim(tx: UserWrite, holder: string): Promise<void> {
  await tx.objectStore('meta').put(holder, 'drain');
}

export async function isMine(tx: UserWrite, holder: string): Promise<boolean> {
  return (await tx.objectStore('meta').get('drain')) === holder;
}
