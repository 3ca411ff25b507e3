/**
 * Registers the service worker. A lazy chunk, fetched after the page has loaded.
 *
 * Nobody has to tap to get a build that waits when the page opens, or soon after: it is taken if the person has not
 * touched the page yet and no other tab is open. Browsers do so themselves where the last tab was closed, but not where
 * the only tab is reloaded, and Firefox forgets the waiting worker when it is killed, so it would wait at every start.
 */
import { Workbox } from 'workbox-window';
import { PAST_WORKER } from './load/whoAnswers.ts';
import { FRESH_PAGE_MS, UPDATE_EVERY_MS } from './records/pageLimits.ts';

/** Rejects where the browser refuses, or the worker cannot be fetched. */
export async function registerWorker(onWaiting: (take: () => void) => void): Promise<Workbox> {
  // Somebody has come back from a login proxy: from here on, a reload is answered by the worker again.
  if (location.pathname + location.search === PAST_WORKER)
    history.replaceState(null, '', `/${location.hash}`);
  const workbox = new Workbox('/sw.js');
  workbox.addEventListener('waiting', ({ sw }) => {
    onWaiting(() => workbox.messageSkipWaiting());
    if (!mayReload()) return;
    navigator.serviceWorker.addEventListener('controllerchange', rememberReload); // then update.ts reloads the page
    sw?.postMessage({ type: 'SKIP_WAITING', alone: true });
  });
  workbox.addEventListener('activated', ({ isUpdate }) => {
    // A page that bypassed the worker (Shift and reload) has no controller, so there is no `controllerchange`.
    if (!isUpdate || navigator.serviceWorker.controller) return;
    rememberReload();
    location.reload();
  });
  await workbox.register({ immediate: true });
  return workbox;
}

/**
 * Whether a reload disturbs nobody now. At most one in UPDATE_EVERY_MS: servers with different builds behind one address
 * would make the page reload for ever.
 */
function mayReload(): boolean {
  if (performance.now() > FRESH_PAGE_MS || navigator.userActivation.hasBeenActive) return false;
  try {
    const since = Date.now() - Number(sessionStorage.getItem(RELOADED_AT));
    return since < 0 || since > UPDATE_EVERY_MS;
  } catch {
    return false; // no storage for this page
  }
}

function rememberReload(): void {
  try {
    sessionStorage.setItem(RELOADED_AT, String(Date.now()));
  } catch {
    // mayReload fails as well
  }
}

const RELOADED_AT = 'holdfast-reloaded-at';
