/** Fills the outbox as after weeks offline, directly in IndexedDB: typing the messages would take minutes. */
import type { Page } from '@playwright/test';
import { newRow } from '../../web/records/row.ts';
import { newId } from './api.ts';
import { recordsOf } from './indexedDb.ts';

/** Adds rows behind the one row in the outbox. The app in the page is not notified. */
export async function queueMany(page: Page, bodies: readonly string[]): Promise<void> {
  const [first, ...more] = await recordsOf(page, { store: 'rows' });
  if (!first || more.length > 0) throw new Error('expected exactly one row in the outbox');
  const { room, at } = first.value;
  const rows = bodies.map((body) => newRow({ kind: 'text', body, room, at, clientOffset: newId() }));
  await page.evaluate(
    async ({ database, rows }) => {
      const opening = indexedDB.open(database);
      const db = await new Promise<IDBDatabase>((resolve) => {
        opening.onsuccess = () => resolve(opening.result);
      });
      const transaction = db.transaction('rows', 'readwrite');
      for (const row of rows) transaction.objectStore('rows').add(row);
      await new Promise((resolve, reject) => {
        transaction.oncomplete = resolve;
        transaction.onabort = () => reject(transaction.error);
      });
      db.close();
    },
    { database: first.database, rows },
  );
}
