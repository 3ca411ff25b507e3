/** Records the transactions of IndexedDB, of all databases, until mocks are restored. */
import { vi } from 'vitest';

export interface CountedTransaction {
  stores: readonly string[];
  mode: IDBTransactionMode;
  durability: IDBTransactionDurability;
  requests: number;
  /** How often requests were issued while none was pending: the waits one after the other. */
  rounds: number;
  /** How many requests were pending at once, at most: what the page issued in one task. */
  mostPending: number;
}

/** The function returns the transactions that began since its last call. */
export function countTransactions(): () => CountedTransaction[] {
  let counted: CountedTransaction[] = [];
  const known = new WeakMap<IDBTransaction, CountedTransaction & { pending: number }>();
  const { transaction } = IDBDatabase.prototype;
  vi.spyOn(IDBDatabase.prototype, 'transaction').mockImplementation(function (
    this: IDBDatabase,
    ...[names, mode = 'readonly', options]
  ) {
    const tx = transaction.call(this, names, mode, options);
    const stores = [...tx.objectStoreNames].sort();
    const durability = options?.durability ?? 'default';
    const one = { stores, mode, durability, requests: 0, rounds: 0, pending: 0, mostPending: 0 };
    known.set(tx, one);
    counted.push(one);
    return tx;
  });
  for (const source of [IDBIndex.prototype, IDBObjectStore.prototype]) {
    const methods = source as unknown as Record<string, (this: unknown, ...of: unknown[]) => IDBRequest>;
    for (const name of METHODS.filter((each) => each in methods)) {
      const method = methods[name]!;
      vi.spyOn(methods, name).mockImplementation(function (this: unknown, ...of) {
        const store = this instanceof IDBIndex ? this.objectStore : (this as IDBObjectStore);
        const one = known.get(store.transaction)!;
        const request = method.apply(this, of);
        one.requests++;
        if (one.pending++ === 0) one.rounds++;
        one.mostPending = Math.max(one.mostPending, one.pending);
        for (const event of ['success', 'error']) request.addEventListener(event, () => void one.pending--);
        return request;
      });
    }
  }
  return () => {
    const since = counted;
    counted = [];
    return since;
  };
}

const METHODS = 'get getKey getAll getAllKeys count openCursor openKeyCursor add put delete clear'.split(' ');
