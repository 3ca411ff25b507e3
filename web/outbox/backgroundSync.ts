/**
 * Registers a Background Sync while rows wait and there is no connection: the browser then wakes the service worker,
 * which sends them.
 */
import type { ConnectionStatus } from '../transport/transportState.ts';

export interface BackgroundSync {
  /** The number of waiting rows or the status of the connection may have changed. */
  changed(): void;
  /** The page may be closed soon. */
  hidden(): void;
}

interface Deps {
  register: ((tag: string) => Promise<void>) | undefined;
  /** The number of waiting rows, of all rooms. */
  waiting(): number;
  status(): ConnectionStatus;
}

/** The tag of the `sync` event of the service worker. */
export const OUTBOX_TAG = 'holdfast-outbox';

export function createBackgroundSync({ register, waiting, status }: Deps): BackgroundSync {
  /**
   * Once is enough while there is no connection: the browser wakes the worker when there is a network, and the worker
   * retries.
   */
  let registered = false;

  function ask(): void {
    if (!register || waiting() === 0) return;
    registered = true;
    register(OUTBOX_TAG).catch(() => {
      registered = false; // refused, or no network: the page sends the rows when it can
    });
  }

  return {
    changed() {
      if (waiting() === 0 || status() === 'live') registered = false;
      else if (!registered) ask();
    },
    hidden: ask, // again: the worker may have been woken since, and have left the rows to this page
  };
}
