/** The service worker past the page: woken by a Background Sync as Chromium's developer tools wake it. */
import type { BrowserContext, Page, Request } from '@playwright/test';
import { OUTBOX_TAG } from '../../web/state/background.ts';
import { waitFor } from './waitFor.ts';

export interface Worker {
  /** As the browser does it when it sees a network: whether anybody asked for it makes no difference. */
  sync(): Promise<void>;
  /** The same, and resolves when the worker was heard asking for the session, which it does first. */
  wake(): Promise<void>;
  /** What the worker has asked the network for since, as `METHOD /path`. */
  asked(): string[];
}

/** Resolves once the worker of this origin is active. The session is a blank page's: it outlives the pages of the app. */
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
      // The first request of a worker that has just been started may be over before Playwright listens to it.
      const sounded = () => waitFor('the worker asks', () => asked.length > before, 3_000).catch(() => false);
      do await sync();
      while (!(await sounded()));
    },
    asked: () => asked,
  };
}

/** From the next load on, the page cannot ask to be woken: what the worker does then was asked for by the test. */
export async function withoutSyncManager(page: Pick<Page, 'addInitScript'>): Promise<void> {
  await page.addInitScript(() => Reflect.deleteProperty(globalThis, 'SyncManager'));
}

/** The wakings that are asked for at this moment. */
export function tagsOf(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const { sync } = (await navigator.serviceWorker.ready) as ServiceWorkerRegistration & {
      sync: { getTags(): Promise<string[]> };
    };
    return sync.getTags();
  });
}
