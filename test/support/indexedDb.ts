/** What a browser keeps of the app, read past the app: every record of every database. */
import type { Page } from '@playwright/test';

export interface StoredRecord {
  database: string;
  store: string;
  // biome-ignore lint/suspicious/noExplicitAny: whatever stands there, of whatever version of the app
  value: any;
}

interface Wanted {
  store?: string;
  /** Only records that have this anywhere in them. */
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

/** Another text in the row that waits with this one: as an app of another version might have queued it. */
export async function rewriteRow(page: Page, body: string, other: string): Promise<void> {
  const [row, ...more] = await recordsOf(page, { store: 'rows', containing: body });
  if (!row || more.length > 0) throw new Error(`not one row says “${body}”`);
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
