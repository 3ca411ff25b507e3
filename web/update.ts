import type { Workbox } from 'workbox-window';
import { createCell } from './records/cell.ts';
import type { Update } from './view/parts/world.ts';

const EVERY_MS = 60 * 60_000;

/**
 * Registers the service worker and watches for a new build. A new one waits until it is taken by hand; then every page
 * of the app reloads, once. Nothing is lost by that: what was written is in the database (O4). Where service workers are
 * withheld (plain HTTP from another machine) nothing is ever ready, and taking is reloading.
 */
export function watchForUpdate(): Update {
  const ready = createCell(false);
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
 * Looks when the page has loaded (what is precached must not compete with what is shown), whenever it comes into view or
 * the network comes back, and every hour: for the first worker, too, if it could not be had on the first visit.
 */
function watch(onWaiting: (take: () => void) => void): void {
  let workbox: Promise<Workbox> | undefined;
  const look = () => {
    if (document.visibilityState === 'hidden') return;
    if (workbox) return void workbox.then((known) => known.update()).catch(() => {}); // without a network: later
    workbox = register(onWaiting);
    workbox.catch((error) => {
      workbox = undefined;
      console.warn('the app cannot start without a network yet', error); // private windows of some refuse it for good
    });
  };
  if (document.readyState === 'complete') look();
  else addEventListener('load', look, { once: true });
  document.addEventListener('visibilitychange', look);
  addEventListener('online', look);
  setInterval(look, EVERY_MS);
}

async function register(onWaiting: (take: () => void) => void): Promise<Workbox> {
  const { Workbox } = await import('workbox-window');
  const workbox = new Workbox('/sw.js');
  workbox.addEventListener('waiting', () => onWaiting(() => workbox.messageSkipWaiting()));
  workbox.addEventListener('activated', ({ isUpdate }) => {
    // A page that was loaded past the worker (Shift and reload) has no controller that could be replaced.
    if (isUpdate && !navigator.serviceWorker.controller) location.reload();
  });
  await workbox.register({ immediate: true });
  return workbox;
}

/** The first worker of all replaces nobody, and reloads nobody. */
function reloadWhenReplaced(container: ServiceWorkerContainer): void {
  let replaces = container.controller !== null;
  container.addEventListener('controllerchange', () => {
    if (replaces) location.reload();
    replaces = true;
  });
}

/** Looks for a new build now. One that is found is taken as soon as it waits. */
async function isComing(): Promise<boolean> {
  const registration = await navigator.serviceWorker.getRegistration();
  await registration?.update().catch(() => {});
  return Boolean(registration?.installing ?? registration?.waiting);
}
