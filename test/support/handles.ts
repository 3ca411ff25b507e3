/** What browsers do to an open IndexedDB under the app: close it, delete it, or answer nothing any more. */
import type { BrowserContext, Page } from '@playwright/test';

export interface Closer {
  /** Ends every connection of this browser context at once; the data stays. */
  close(): Promise<void>;
  /** How many connections the page was told of as closed. */
  felt(): Promise<number>;
}

/** Once there is a database. By Chromium's own page for it: the app hears what it hears when the browser gets into trouble. */
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

/** As any page of this address may; resolves when they are gone. */
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

/** As the browser's own button for it does, or a device that needs room. */
export async function clearStorage(context: BrowserContext, url: string): Promise<void> {
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  const { origin } = new URL(url);
  await cdp.send('Storage.clearDataForOrigin', { origin, storageTypes: 'indexeddb' });
  await page.close();
}

/** `once`: until the app has given up one transaction. */
export type Hanging = 'no' | 'once' | 'yes';

/** From the next load on, the page's database can be made to hang: as it is with iOS, whose requests then never end. */
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
          get.call(this, 0).onsuccess = keepOpen; // or the transaction would come to its end
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
