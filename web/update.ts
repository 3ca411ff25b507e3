import type { Workbox } from 'workbox-window';
import { isOutdated, lazyImport } from './load/lazyImport.ts';
import { createCell } from './records/cell.ts';
import { UPDATE_EVERY_MS } from './records/pageLimits.ts';
import type { Update } from './view/parts/world.ts';

/**
 * Registers the service worker and looks for new builds. A new build waits until the person accepts it, or is taken
 * while nobody uses the app yet (registerWorker.ts); then every page of the app reloads once. Nothing is lost: texts are in the database (O4). Where the browser withholds service workers
 * (plain HTTP from another machine) a build is ready only when this one lacks a chunk that the server does not have any
 * more, and accepting it reloads the page.
 */
export function watchForUpdate(): Update {
  const ready = createCell(false);
  isOutdated.subscribe(() => ready.set(true));
  if (!import.meta.env.PROD || !('serviceWorker' in navigator))
    return { ready, take: () => location.reload() };

  let takeWaiting: (() => void) | undefined;
  let wanted = false;
  reloadWhenReplaced(navigator.serviceWorker);
  watch((take) => {
    takeWaiting = take;
    ready.set(true);
    if (wanted) take();
  });

  return {
    ready,
    async take() {
      wanted = true;
      if (takeWaiting) takeWaiting();
      else if (!(await isComing())) location.reload();
    },
  };
}

/**
 * Looks for a new build after the page has loaded (precaching must not compete with the first paint), whenever the page
 * becomes visible or online, and every hour. Registers the first worker in the same way, if that failed before.
 */
function watch(onWaiting: (take: () => void) => void): void {
  let workbox: Promise<Workbox> | undefined;
  const look = () => {
    if (document.visibilityState === 'hidden') return;
    if (workbox) return void workbox.then((known) => known.update()).catch(() => {}); // no network: the next look tries again
    workbox = lazyImport(() => import('./registerWorker.ts')).then((chunk) =>
      chunk.registerWorker(onWaiting),
    );
    workbox.catch((error) => {
      workbox = undefined;
      console.warn('the app cannot start without a network yet', error); // private windows of some browsers always refuse
    });
  };
  if (document.readyState === 'complete') look();
  else addEventListener('load', look, { once: true });
  document.addEventListener('visibilitychange', look);
  addEventListener('online', look);
  setInterval(look, UPDATE_EVERY_MS);
}

/** Not for the very first worker, which replaces none. */
function reloadWhenReplaced(container: ServiceWorkerContainer): void {
  let replaces = container.controller !== null;
  container.addEventListener('controllerchange', () => {
    if (replaces) location.reload();
    replaces = true;
  });
}

/** Looks for a new build now. True where there is one; it is accepted as soon as it waits. */
async function isComing(): Promise<boolean> {
  const registration = await navigator.serviceWorker.getRegistration();
  await registration?.update().catch(() => {});
  return Boolean(registration?.installing ?? registration?.waiting);
}
