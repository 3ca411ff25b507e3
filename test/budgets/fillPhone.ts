/** A phone that holds the whole log of a room: what years of looking at it would leave in its database. */
import type { BrowserContext } from '@playwright/test';
import type { Filled } from './fillServer.ts';

/** While the app is open nowhere. The room was opened once: its newest span is there, and the app made the tables. */
export async function fillPhone(context: BrowserContext, me: string, filled: Filled): Promise<void> {
  const page = await context.newPage();
  await page.goto('/healthz'); // of the same origin, and not the app: the worker leaves it to the server
  const { room, head } = filled;
  const name = `holdfast:${me}`;
  for (const entries of filled.pages) await page.evaluate(put, { name, room, json: JSON.stringify(entries) });
  const there = await page.evaluate(cover, { name, room, head });
  if (there !== head) throw new Error(`the fixture holds ${there} entries, not ${head}`);
  await page.close();
}

/** Runs in the page, and stands alone, as the next one does. */
async function put({ name, room, json }: { name: string; room: string; json: string }): Promise<void> {
  const db = await new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(name);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const tx = db.transaction('log', 'readwrite', { durability: 'relaxed' });
  for (const entry of JSON.parse(json))
    tx.objectStore('log').put({
      ...entry,
      room,
      ...(entry.kind === 'text' ? { line: entry.serverOffset } : {}),
    });
  await new Promise((resolve, reject) => {
    tx.oncomplete = resolve;
    tx.onabort = () => reject(tx.error);
  });
  db.close();
}

/** One span over all (S1), on disk. Resolves with how many entries there are, for the caller to look at. */
async function cover({ name, room, head }: { name: string; room: string; head: number }): Promise<number> {
  const db = await new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(name);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const all = IDBKeyRange.bound([room, 0], [room, Number.POSITIVE_INFINITY]);
  const tx = db.transaction(['log', 'logSpans', 'detached'], 'readwrite', { durability: 'strict' });
  tx.objectStore('detached').delete(all);
  tx.objectStore('logSpans').delete(all);
  tx.objectStore('logSpans').put({ room, from: 1, to: head, amendedTo: head });
  const count = tx.objectStore('log').count(all);
  await new Promise((resolve, reject) => {
    tx.oncomplete = resolve;
    tx.onabort = () => reject(tx.error);
  });
  db.close();
  return count.result;
}
