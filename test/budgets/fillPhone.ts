/** Fills a phone's IndexedDB with the whole log of a room, as after years of use. */
import type { BrowserContext } from '@playwright/test';
import { addPageDatabase } from '../support/pageDatabase.ts';
import type { Filled } from './fillServer.ts';

/** Call it while no page of the app is open, after the room was opened once, so that the stores and its newest span exist. */
export async function fillPhone(context: BrowserContext, me: string, filled: Filled): Promise<void> {
  const page = await context.newPage();
  await addPageDatabase(page);
  await page.goto('/healthz'); // the same origin without the app; the service worker does not handle it
  const { room, head } = filled;
  const name = `holdfast:${me}`;
  for (const entries of filled.pages) await page.evaluate(put, { name, room, json: JSON.stringify(entries) });
  const there = await page.evaluate(cover, { name, room, head });
  if (there !== head) throw new Error(`the fixture holds ${there} entries, not ${head}`);
  await page.close();
}

/** Runs in the page, as the next function does. */
async function put({ name, room, json }: { name: string; room: string; json: string }): Promise<void> {
  const db = await pageDatabase.open(name);
  const tx = db.transaction('log', 'readwrite', { durability: 'relaxed' });
  for (const entry of JSON.parse(json))
    tx.objectStore('log').put({
      ...entry,
      room,
      ...(entry.kind === 'text' ? { line: entry.serverOffset } : {}),
    });
  await pageDatabase.committed(tx);
  db.close();
}

/** Stores one span over all entries (S1), strictly durable. Resolves with the number of entries stored. */
async function cover({ name, room, head }: { name: string; room: string; head: number }): Promise<number> {
  const db = await pageDatabase.open(name);
  const all = IDBKeyRange.bound([room, 0], [room, Number.POSITIVE_INFINITY]);
  const tx = db.transaction(['log', 'logSpans', 'detached'], 'readwrite', { durability: 'strict' });
  tx.objectStore('detached').delete(all);
  tx.objectStore('logSpans').delete(all);
  tx.objectStore('logSpans').put({ room, from: 1, to: head, amendedTo: head });
  const count = tx.objectStore('log').count(all);
  await pageDatabase.committed(tx);
  db.close();
  return count.result;
}
