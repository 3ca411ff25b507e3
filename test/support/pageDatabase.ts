/**
 * IndexedDB with promises, inside the page. A function given to `page.evaluate` cannot import, so the helper is a global of
 * the page.
 */
import type { Page } from '@playwright/test';

interface PageDatabase {
  open(name: string, version?: number, upgrade?: (db: IDBDatabase) => void): Promise<IDBDatabase>;
  result<T>(request: IDBRequest<T>): Promise<T>;
  /** Resolves when the transaction is committed. */
  committed(transaction: IDBTransaction): Promise<void>;
}

declare global {
  var pageDatabase: PageDatabase;
}

/** Every document that this page loads from now on has `pageDatabase`. */
export async function addPageDatabase(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const result = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    globalThis.pageDatabase = {
      result,
      open(name, version, upgrade) {
        const request = indexedDB.open(name, version);
        request.onupgradeneeded = () => upgrade?.(request.result);
        return result(request);
      },
      committed: (transaction) =>
        new Promise((resolve, reject) => {
          transaction.oncomplete = () => resolve();
          transaction.onabort = () => reject(transaction.error);
        }),
    };
  });
}
