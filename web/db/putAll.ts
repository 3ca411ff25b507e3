/** Many records in one store. In a file of its own: the first paint stores none. */
import { unwrap } from 'idb';
import { PUTS_AT_ONCE } from '../records/pageLimits.ts';
import type { UserSchema, UserWrite } from './userDatabase.ts';

/**
 * Puts the records in this order. Resolves when all are stored; rejects with the error of the first that is not. A promise for
 * each would cost the main thread a task with four listeners: on a slow phone, whoever taps meanwhile waits for hundreds of them.
 * For the same reason only PUTS_AT_ONCE are issued in one task.
 */
export async function putAll<Name extends keyof UserSchema & ('log' | 'detached')>(
  tx: UserWrite,
  name: Name,
  records: readonly UserSchema[Name]['value'][],
): Promise<void> {
  const store: IDBObjectStore = unwrap(tx.objectStore(name));
  for (let from = 0; from < records.length; from += PUTS_AT_ONCE)
    await new Promise<void>((resolve, reject) => {
      let last: IDBRequest | undefined;
      for (const record of records.slice(from, from + PUTS_AT_ONCE)) {
        last = store.put(record);
        last.onerror = ({ target }) => reject((target as IDBRequest).error);
      }
      last!.onsuccess = () => resolve(); // requests of a transaction are answered in their order
    });
}
