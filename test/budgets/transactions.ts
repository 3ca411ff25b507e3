/** Counts the transactions of IndexedDB in the page, and the requests in them. */
import type { Page } from '@playwright/test';

export interface Transactions {
  writes: number;
  /** Writes that wait for the disk. */
  strict: number;
  /** Reads of what the screen shows, and the requests in them. */
  screenReads: number;
  screenRequests: number;
  /** All of them, each with its stores, for failed tests. */
  list: string[];
}

export interface TransactionCounter {
  /** Those that began during `work`. */
  during(work: () => Promise<unknown>): Promise<Transactions>;
}

/** Call it before the page is opened. */
export async function watchTransactions(page: Page): Promise<TransactionCounter> {
  await page.addInitScript(watch);
  const take = () => page.evaluate(() => (globalThis as unknown as Watching).takeTransactions());
  return {
    async during(work) {
      await take();
      await work();
      const list = await take();
      const ofScreen = list.filter(({ what }) => what.startsWith('readonly') && what.includes('drafts,'));
      return {
        writes: list.filter(({ what }) => what.startsWith('readwrite')).length,
        strict: list.filter(({ isStrict }) => isStrict).length,
        screenReads: ofScreen.length,
        screenRequests: ofScreen.reduce((sum, { requests }) => sum + requests, 0),
        list: list.map(({ what, requests }) => `${what}: ${requests}`),
      };
    },
  };
}

interface Counted {
  what: string;
  isStrict: boolean;
  requests: number;
}

interface Watching {
  /** Those since the last call. */
  takeTransactions(): Counted[];
}

/** Runs in the page, before its first script. */
function watch(): void {
  let counted: Counted[] = [];
  const known = new WeakMap<IDBTransaction, Counted>();
  const { transaction } = IDBDatabase.prototype;
  IDBDatabase.prototype.transaction = function (names, mode, options) {
    const tx = transaction.call(this, names, mode, options);
    const isStrict = tx.mode === 'readwrite' && tx.durability === 'strict';
    const what = `${tx.mode} ${isStrict ? 'strict ' : ''}${[...tx.objectStoreNames].join()}`;
    const one = { what, isStrict, requests: 0 };
    known.set(tx, one);
    counted.push(one);
    return tx;
  };
  for (const source of [IDBIndex.prototype, IDBObjectStore.prototype]) {
    const methods = source as unknown as Record<string, (this: unknown, ...of: unknown[]) => IDBRequest>;
    const names = 'get getKey getAll getAllKeys count openCursor openKeyCursor add put delete clear';
    for (const name of names.split(' ').filter((each) => each in methods)) {
      const method = methods[name]!;
      methods[name] = function (...of) {
        const store = this instanceof IDBIndex ? this.objectStore : (this as IDBObjectStore);
        known.get(store.transaction)!.requests++;
        return method.apply(this, of);
      };
    }
  }
  Object.assign(globalThis, {
    takeTransactions() {
      const since = counted;
      counted = [];
      return since;
    },
  });
}
