import { createCell } from './state/cell.ts';
import type { Update } from './view/context.ts';

const EVERY_MS = 60 * 60_000;

/**
 * Registers the service worker and watches for a new build: on load, on becoming visible, every hour. A new one waits
 * until it is taken by hand; then every page of the app reloads, once. Nothing is lost by that: what was written is
 * in the database (O4). Where service workers are withheld (plain HTTP from another machine) nothing is ever ready,
 * and taking is reloading.
 */
export function watchForUpdate(): Update {
  const ready = createCell(false);
  if (!import.meta.env.PROD || !('serviceWorker' in navigator))
    return { ready, take: () => location.reload() };

  let takeWaiting: (() => void) | undefined;
  let wanted = false;
  reloadWhenReplaced(navigator.serviceWorker);
  register((take) => {
    takeWaiting = take;
    ready.set(true);
    if (wanted) take();
  }).catch(console.error); // a browser that refuses it (private windows of some) runs the app without

  return {
    ready,
    async take() {
      wanted = true;
      if (takeWaiting) takeWaiting();
      else if (!(await isComing())) location.reload();
    },
  };
}

/** Not before the page has loaded: what is precached must not compete with what is shown. */
async function register(onWaiting: (take: () => void) => void): Promise<void> {
  if (document.readyState !== 'complete') {
    await new Promise((loaded) => addEventListener('load', loaded, { once: true }));
  }
  const { Workbox } = await import('workbox-window');
  const workbox = new Workbox('/sw.js');
  workbox.addEventListener('waiting', () => onWaiting(() => workbox.messageSkipWaiting()));
  workbox.addEventListener('activated', ({ isUpdate }) => {
    // A page that was loaded past the worker (Shift and reload) has no controller that could be replaced.
    if (isUpdate && !navigator.serviceWorker.controller) location.reload();
  });
  await workbox.register({ immediate: true });

  const look = () => {
    if (document.visibilityState === 'visible') workbox.update().catch(() => {}); // without a network: later
  };
  document.addEventListener('visibilitychange', look);
  setInterval(look, EVERY_MS);
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
