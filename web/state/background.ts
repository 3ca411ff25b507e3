/** Asks the browser to wake the service worker when there is a network, while something waits that no page may send. */
import type { Status } from '../transport/phase.ts';

export interface Background {
  /** What waits, or the way to the server, changed. */
  changed(): void;
  /** The page may be gone soon. */
  hidden(): void;
}

interface Deps {
  register: ((tag: string) => Promise<void>) | undefined;
  /** Rows that wait, of all rooms. */
  waiting(): number;
  status(): Status;
}

/** The tag by which the worker knows what it was woken for. */
export const OUTBOX_TAG = 'holdfast-outbox';

export function createBackground({ register, waiting, status }: Deps): Background {
  /** Once is enough while the way is gone: the worker is woken when the browser sees a network, and tries for a while. */
  let registered = false;

  function ask(): void {
    if (!register || waiting() === 0) return;
    registered = true;
    register(OUTBOX_TAG).catch(() => {
      registered = false; // refused or without a network: the page sends it when it can
    });
  }

  return {
    changed() {
      if (waiting() === 0 || status() === 'live') registered = false;
      else if (!registered) ask();
    },
    hidden: ask, // again: the worker may have been woken since, and have left it to this page
  };
}
