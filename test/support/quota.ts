/** A device with no room left: what a site may keep is made little, and filled to the last byte. */
import type { BrowserContext } from '@playwright/test';

export interface FullDevice {
  /** There is room again. */
  free(): Promise<void>;
}

/**
 * Before the first page of this address is opened: Chromium remembers for a while how much room there was. Returns how to
 * fill it, by a page of the same address that is not the app.
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
      await page.route('**/healthz', (route) => route.fulfill({ body: 'filling' })); // there may be no network
      await page.goto(new URL('/healthz', url).href);
      await page.evaluate(fillUp, [64_000, 4_000, 500]);
      return {
        free: async () => void (await cdp.send('Storage.overrideQuotaForOrigin', { origin })),
      };
    },
  };
}

const SMALL_BYTES = 1_500_000;

/** In the page: pieces of each size, until not one more goes in. */
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
