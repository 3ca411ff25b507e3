/**
 * The service worker: it holds the app's files, so that the page opens without a network. A new build is put by and
 * waits; it takes over when a page says SKIP_WAITING, which a person decided.
 */
import { cleanupOutdatedCaches, getCacheKeyForURL, matchPrecache, precache } from 'workbox-precaching';
import { precachedPath } from './precachedPath.ts';

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

/** A browser that clears caches on its own may have taken this one: then the network has it. */
async function answer(path: string, request: Request): Promise<Response> {
  return (await matchPrecache(path)) ?? fetch(request);
}
