/** Reads every record that the app has stored in the browser, bypassing the app. */
import type { Page } from '@playwright/test';

export interface StoredRecord {
  database: string;
  store: string;
  // biome-ignore lint/suspicious/noExplicitAny: records of any version of the app
  value: any;
}

interface Wanted {
  store?: string;
  /** Only records that contain this text anywhere. */
  containing?: string;
}

export function recordsOf(page: Page, wanted: Wanted = {}): Promise<StoredRecord[]> {
  return page.evaluate(async ({ store: only, containing = '' }) => {
    const result = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const records: StoredRecord[] = [];
    for (const { name: database } of await indexedDB.databases()) {
      const db = await result(indexedDB.open(database!));
      for (const store of [...db.objectStoreNames].filter((name) => name === (only ?? name))) {
        const values = await result(db.transaction(store).objectStore(store).getAll());
        records.push(...values.map((value) => ({ database: database!, store, value })));
      }
      db.close();
    }
    return records.filter((record) => JSON.stringify(record).includes(containing));
  }, wanted);
}

/** Replaces the text of the queued row that has `body`, as another version of the app might have queued it. */
export async function rewriteRow(page: Page, body: string, other: string): Promise<void> {
  const [row, ...more] = await recordsOf(page, { store: 'rows', containing: body });
  if (!row || more.length > 0) throw new Error(`expected exactly one row with “${body}”`);
  const changed = { ...row, value: { ...row.value, body: other } };
  await page.evaluate(async ({ database, store, value }) => {
    const db = await new Promise<IDBDatabase>((resolve, reject) => {
      const opening = indexedDB.open(database);
      opening.onsuccess = () => resolve(opening.result);
      opening.onerror = () => reject(opening.error);
    });
    const transaction = db.transaction(store, 'readwrite');
    transaction.objectStore(store).put(value);
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
    db.close();
  }, changed);
}
