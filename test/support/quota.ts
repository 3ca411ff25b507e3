/** A device with full storage: the quota of the site is reduced and then filled. */
import type { BrowserContext } from '@playwright/test';

export interface FullDevice {
  /** Restores the quota. */
  free(): Promise<void>;
}

/**
 * Call it before the first page of this origin is opened, since Chromium caches the quota for a while. The storage is filled
 * by a page of the same origin that is not the app.
 */
export async function smallDevice(
  context: BrowserContext,
  url: string,
): Promise<{ fill(): Promise<FullDevice> }> {
  const { origin } = new URL(url);
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  await cdp.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: SMALL_BYTES });
  return {
    async fill() {
      await page.route('**/healthz', (route) => route.fulfill({ body: 'filling' })); // works offline, too
      await page.goto(new URL('/healthz', url).href);
      await page.evaluate(fillUp, [64_000, 4_000, 500]);
      return {
        free: async () => void (await cdp.send('Storage.overrideQuotaForOrigin', { origin })),
      };
    },
  };
}

const SMALL_BYTES = 1_500_000;

/** Runs in the page: stores chunks of decreasing size until not even the smallest fits. */
async function fillUp(sizes: number[]): Promise<void> {
  const opening = indexedDB.open('filler', 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore('pieces', { autoIncrement: true });
  const db = await new Promise<IDBDatabase>((resolve) => {
    opening.onsuccess = () => resolve(opening.result);
  });
  const fits = (bytes: number) =>
    new Promise<boolean>((resolve, reject) => {
      const transaction = db.transaction('pieces', 'readwrite', { durability: 'strict' });
      transaction.objectStore('pieces').add(crypto.getRandomValues(new Uint8Array(bytes)));
      transaction.oncomplete = () => resolve(true);
      transaction.onabort = () => {
        const { error } = transaction;
        return error?.name === 'QuotaExceededError' ? resolve(false) : reject(error);
      };
    });
  for (const size of sizes) while (await fits(size));
  db.close();
}
