/**
 * The service worker: it holds the app's files, so that the page opens without a network, and sends what waits when the
 * browser wakes it. A new build is put by and waits; it takes over when a page says SKIP_WAITING, which a person decided.
 */
import { cleanupOutdatedCaches, getCacheKeyForURL, matchPrecache, precache } from 'workbox-precaching';
import type { Channel } from '../db/changes.ts';
import { deviceClock } from '../db/clock.ts';
import { OUTBOX_TAG } from '../state/background.ts';
import { precachedPath } from './precachedPath.ts';
import { wake } from './wake.ts';

declare const self: ServiceWorkerGlobalScope & { __WB_MANIFEST: Parameters<typeof precache>[0] };

precache(self.__WB_MANIFEST);
cleanupOutdatedCaches();

self.addEventListener('message', (event) => {
  if (event.data?.type === 'SKIP_WAITING') self.skipWaiting();
});

// The first worker takes the page that brought it, too: else a build that comes before the next load would not wait.
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));

self.addEventListener('fetch', (event) => {
  const path = precachedPath(event.request, self.location.origin);
  if (path === undefined || getCacheKeyForURL(path) === undefined) return;
  event.respondWith(answer(path, event.request));
});

// Only Chromium has it. What is left when the event ends is tried again by the browser, if the event ends badly.
self.addEventListener('sync', (event) => {
  const { tag, waitUntil } = event as ExtendableEvent & { tag: string };
  if (tag === OUTBOX_TAG) waitUntil.call(event, sendWhatWaits());
});

async function sendWhatWaits(): Promise<void> {
  const drained = await wake({
    indexedDB,
    clock: deviceClock,
    random: Math.random,
    randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
    locks: navigator.locks,
    fetch: (input, init) => fetch(input, init),
    channel: (name) => new BroadcastChannel(name) as Channel,
  });
  if (drained === 'left') throw new Error('not everything was sent');
}

/** A browser that clears caches on its own may have taken this one: then the network has it. */
async function answer(path: string, request: Request): Promise<Response> {
  return (await matchPrecache(path)) ?? fetch(request);
}
