/**
 * How slow the machine is at the moment: a fixed piece of work, of the same kinds as what has a budget (script, layout, a
 * strictly durable write, a frame), measured between the measurements. Other load slows both down, so that their ratio says
 * more of the app than its times do.
 */
import type { Page } from '@playwright/test';
import budgets from './budgets.json' with { type: 'json' };
import { quantile } from './figures.ts';

/**
 * Milliseconds of `count` pieces, one after the other, in the page of the app, which is braked like the app itself. They
 * change nothing there and move nothing.
 */
export async function pieceTimes(page: Page, count: number): Promise<number[]> {
  const times: number[] = [];
  while (times.length < count) times.push(await page.evaluate(runPiece));
  return times;
}

/** How many times as long as on the machine of the budgets everything takes. */
export function slownessOf(pieces: readonly number[]): number {
  return quantile(pieces, 0.5) / budgets.calibrationMs;
}

/** Runs in the browser: it may use nothing from this module. */
async function runPiece(): Promise<number> {
  const db = await new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open('calibration', 1);
    request.onupgradeneeded = () => request.result.createObjectStore('pieces');
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  await new Promise((resolve) => requestAnimationFrame(resolve));
  const begin = performance.now();
  const tx = db.transaction('pieces', 'readwrite', { durability: 'strict' });
  tx.objectStore('pieces').put('piece', 1);
  tx.commit();
  const durable = new Promise((resolve) => tx.addEventListener('complete', resolve));

  const words = Array.from({ length: 4_000 }, (_, n) => `${(n * 7_919) % 4_001} seals`).sort();
  const box = document.createElement('div');
  box.style.cssText =
    'position: fixed; inset: 0; overflow: auto; visibility: hidden; pointer-events: none; contain: strict';
  for (let n = 0; n < 40; n++) {
    const line = document.createElement('p');
    line.style.cssText = 'float: left; max-width: 80%; padding: 7px 12px; overflow-wrap: anywhere';
    line.append(words.slice(n * 12, n * 12 + 12).join(' '), document.createElement('b'));
    box.append(line);
  }
  document.body.append(box);
  if (box.scrollHeight === 0) throw new Error('there was no layout');
  const shown = new Promise((resolve) =>
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = resolve; // the first task after the frame
      port2.postMessage(0);
    }),
  );
  await Promise.all([durable, shown]);
  const ms = performance.now() - begin;
  box.remove();
  db.close();
  return ms;
}
