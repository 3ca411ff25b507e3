/** What browsers do to an IndexedDB while the app uses it: close the connection, delete the database, or hang. */
import type { BrowserContext, Page } from '@playwright/test';

export interface Closer {
  /** Closes every connection of this browser context at once; the data stays. */
  close(): Promise<void>;
  /** How many `close` events the page has received. */
  felt(): Promise<number>;
}

/** Call it once the database exists. Uses chrome://indexeddb-internals, so the app sees the events of a real failure. */
export async function closerOf(page: Page): Promise<Closer> {
  await page.addInitScript(() => {
    const open = IDBFactory.prototype.open;
    Object.assign(globalThis, { handlesClosed: 0 });
    IDBFactory.prototype.open = function (...args) {
      const request = open.apply(this, args);
      request.addEventListener('success', () =>
        request.result.addEventListener('close', () => {
          Reflect.set(globalThis, 'handlesClosed', Reflect.get(globalThis, 'handlesClosed') + 1);
        }),
      );
      return request;
    };
  });
  await page.reload();
  const internals = await page.context().newPage();
  await internals.goto('chrome://indexeddb-internals');
  const button = internals.locator('.force-close');
  await button.waitFor();
  return {
    close: () => button.dispatchEvent('click'),
    felt: () => page.evaluate(() => Reflect.get(globalThis, 'handlesClosed')),
  };
}

/** Deletes all databases from a page of the same origin; resolves when they are gone. */
export async function deleteDatabases(context: BrowserContext, url: string): Promise<void> {
  const page = await context.newPage();
  await page.goto(new URL('/healthz', url).href);
  await page.evaluate(async () => {
    for (const { name } of await indexedDB.databases()) {
      const deletion = indexedDB.deleteDatabase(name!);
      await new Promise((resolve, reject) => {
        deletion.onsuccess = resolve;
        deletion.onerror = () => reject(deletion.error);
      });
    }
  });
  await page.close();
}

/** Clears the storage as the browser does by its own button, or when the device needs space. */
export async function clearStorage(context: BrowserContext, url: string): Promise<void> {
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  const { origin } = new URL(url);
  await cdp.send('Storage.clearDataForOrigin', { origin, storageTypes: 'indexeddb' });
  await page.close();
}

/** `once`: until the app has aborted one transaction. */
export type Hanging = 'no' | 'once' | 'yes';

/** From the next load on, the database of the page can be made to hang, as iOS does: requests never finish. */
export async function hangable(page: Page): Promise<{ hang(how: Hanging): Promise<void> }> {
  await page.addInitScript(() => {
    const world = globalThis as unknown as { hanging: Hanging };
    world.hanging = 'no';
    const store = IDBObjectStore.prototype;
    const get = store.get;
    const hung = new WeakSet<IDBTransaction>();
    const commit = IDBTransaction.prototype.commit;
    IDBTransaction.prototype.commit = function () {
      if (!hung.has(this)) commit.call(this);
    };
    const isSilent = (transaction: IDBTransaction) => hung.has(transaction) && world.hanging !== 'no';
    const listen = IDBTransaction.prototype.addEventListener;
    IDBTransaction.prototype.addEventListener = function (
      this: IDBTransaction,
      type: string,
      listener: EventListener,
      options?: boolean,
    ) {
      const heard: EventListener = (event) => {
        if (!isSilent(this)) listener.call(this, event); // the requests that keep it open are ours
      };
      const isOfRequests = type === 'success' || type === 'error';
      listen.call(this, type, isOfRequests ? heard : listener, options);
    } as typeof listen;
    for (const name of ['add', 'put'] as const) {
      const original = store[name];
      store[name] = function (...args) {
        const request = original.apply(this, args);
        if (world.hanging === 'no') return request;
        hung.add(this.transaction);
        const keepOpen = () => {
          if (world.hanging === 'no') return;
          get.call(this, 0).onsuccess = keepOpen; // or the transaction would complete
        };
        request.addEventListener('success', (event) => {
          event.stopImmediatePropagation();
          keepOpen();
        });
        this.transaction.addEventListener('abort', () => {
          if (world.hanging === 'once') world.hanging = 'no';
        });
        return request;
      };
    }
  });
  return {
    hang: (how) => page.evaluate((said) => Object.assign(globalThis, { hanging: said }), how).then(() => {}),
  };
}
