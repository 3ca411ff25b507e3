/**
 * The service worker: caches the app's files, so that the page opens without a network, and sends the outbox when the
 * browser wakes it. A new build is cached and waits; it takes over when a page sends SKIP_WAITING, which a person
 * decides, or which asks on its own where no other tab is open.
 */
import { addPlugins, getCacheKeyForURL, matchPrecache, precache } from 'workbox-precaching';
import type { Channel } from '../db/changes.ts';
import { deviceClock } from '../db/clock.ts';
import { OUTBOX_TAG } from '../outbox/backgroundSync.ts';
import { isOwnFile } from './isOwnFile.ts';
import { isNetworkFirst, precachedPath } from './precachedPath.ts';
import { mustRunAgain, wake } from './wake.ts';

declare const self: ServiceWorkerGlobalScope & { __WB_MANIFEST: Parameters<typeof precache>[0] };

addPlugins([
  {
    async fetchDidSucceed({ request, response }) {
      if (await isOwnFile(request.url, response)) return response;
      throw new Error(); // the worker is not installed
    },
  },
]);
precache(self.__WB_MANIFEST);

self.addEventListener('message', (event) => {
  if (event.data?.type === 'SKIP_WAITING') event.waitUntil(takeOver(event.data.alone));
});

// The first worker also controls the page that registered it. Otherwise a build that arrives before the next load would not wait.
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));

self.addEventListener('fetch', (event) => {
  const path = precachedPath(event.request, self.location.origin);
  if (path === undefined || getCacheKeyForURL(path) === undefined) return;
  event.respondWith(answer(path, event.request));
});

// Only Chromium has this event. If it fails, because rows are left, the browser tries again.
self.addEventListener('sync', (event) => {
  const { tag, waitUntil } = event as ExtendableEvent & { tag: string };
  if (tag === OUTBOX_TAG) waitUntil.call(event, sendOutbox());
});

async function sendOutbox(): Promise<void> {
  const drained = await wake({
    indexedDB,
    clock: deviceClock,
    random: Math.random,
    randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
    locks: navigator.locks,
    fetch: (input, init) => fetch(input, init),
    channel: (name) => new BroadcastChannel(name) as Channel,
  });
  if (mustRunAgain(drained)) throw new Error('the outbox is not empty');
}

/** `alone`: only if one tab of the app is open, the one that asks. Others would be reloaded under somebody's hands. */
async function takeOver(alone: boolean | undefined): Promise<void> {
  const tabs = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  if (!alone || tabs.length === 1) await self.skipWaiting();
}

async function answer(path: string, request: Request): Promise<Response> {
  if (isNetworkFirst(request)) {
    try {
      return await fetch(request);
    } catch {} // no network
  }
  return (await matchPrecache(path)) ?? fetch(request); // the browser has cleared the cache
}
