/**
 * The service worker: caches the app's files, so that the page opens without a network, and sends the outbox when the
 * browser wakes it. A new build is cached and waits; it takes over when a page sends SKIP_WAITING, which a person
 * decides, or SKIP_WAITING_ALONE and no other tab is open.
 */
import { cleanupOutdatedCaches, getCacheKeyForURL, matchPrecache, precache } from 'workbox-precaching';
import type { Channel } from '../db/changes.ts';
import { deviceClock } from '../db/clock.ts';
import { OUTBOX_TAG } from '../outbox/backgroundSync.ts';
import { precachedPath } from './precachedPath.ts';
import { mustRunAgain, wake } from './wake.ts';

declare const self: ServiceWorkerGlobalScope & { __WB_MANIFEST: Parameters<typeof precache>[0] };

precache(self.__WB_MANIFEST);
cleanupOutdatedCaches();

self.addEventListener('message', (event) => {
  if (event.data?.type === 'SKIP_WAITING') self.skipWaiting();
  if (event.data?.type === 'SKIP_WAITING_ALONE') event.waitUntil(skipWaitingAlone());
});

// The first worker also controls the page that registered it. Otherwise a build that arrives before the next load would not wait.
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));

self.addEventListener('fetch', (event) => {
  const path = precachedPath(event.request, self.location.origin);
  if (path === undefined || getCacheKeyForURL(path) === undefined) return;
  event.respondWith(cachedOrFetched(path, event.request));
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

/** Takes over if only one tab of the app is open, the one that asks: others would be reloaded under somebody's hands. */
async function skipWaitingAlone(): Promise<void> {
  const tabs = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  if (tabs.length === 1) await self.skipWaiting();
}

/** From the network where the browser has cleared the cache. */
async function cachedOrFetched(path: string, request: Request): Promise<Response> {
  return (await matchPrecache(path)) ?? fetch(request);
}
