/** Controls the service worker from outside: wakes it by a Background Sync, as Chromium's developer tools do. */
import type { BrowserContext, Page, Request } from '@playwright/test';
import { OUTBOX_TAG } from '../../web/outbox/backgroundSync.ts';
import { waitFor } from './waitFor.ts';

export interface Worker {
  /** Fires `sync` as the browser does when the network is back, whether or not it was registered. */
  sync(): Promise<void>;
  /** The same, and resolves when the worker has requested the session, which is its first request. */
  wake(): Promise<void>;
  /** The requests of the worker since then, as `METHOD /path`. */
  asked(): string[];
}

/** Resolves once the worker of this origin is active. Uses the CDP session of a blank page, which outlives the app's pages. */
export async function workerOf(context: BrowserContext, url: string): Promise<Worker> {
  const { origin } = new URL(url);
  const asked: string[] = [];
  context.on('request', (request: Request) => {
    if (request.serviceWorker()) asked.push(`${request.method()} ${new URL(request.url()).pathname}`);
  });
  const cdp = await context.newCDPSession(await context.newPage());
  const registrations = new Map<string, string>();
  const active = new Set<string>();
  cdp.on('ServiceWorker.workerRegistrationUpdated', (event) => {
    for (const { scopeURL, registrationId } of event.registrations)
      if (scopeURL.startsWith(origin)) registrations.set(registrationId, scopeURL);
  });
  cdp.on('ServiceWorker.workerVersionUpdated', ({ versions }) => {
    for (const { registrationId, status } of versions) if (status === 'activated') active.add(registrationId);
  });
  await cdp.send('ServiceWorker.enable');
  const registrationId = await waitFor('the service worker is active', () =>
    [...registrations.keys()].find((id) => active.has(id)),
  );
  const sync = async () => {
    const tag = OUTBOX_TAG;
    await cdp.send('ServiceWorker.dispatchSyncEvent', { origin, registrationId, tag, lastChance: false });
  };
  return {
    sync,
    async wake() {
      const before = asked.length;
      // The first request of a worker that has just started may be over before Playwright attaches to it.
      const sounded = () => waitFor('the worker asks', () => asked.length > before, 3_000).catch(() => false);
      do await sync();
      while (!(await sounded()));
    },
    asked: () => asked,
  };
}

/** From the next load on, the page cannot register a sync, so that only the test wakes the worker. */
export async function withoutSyncManager(page: Pick<Page, 'addInitScript'>): Promise<void> {
  await page.addInitScript(() => Reflect.deleteProperty(globalThis, 'SyncManager'));
}

/** The tags of the currently registered syncs. */
export function tagsOf(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const { sync } = (await navigator.serviceWorker.ready) as ServiceWorkerRegistration & {
      sync: { getTags(): Promise<string[]> };
    };
    return sync.getTags();
  });
}
