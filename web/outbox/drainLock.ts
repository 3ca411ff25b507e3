/** A Web Lock that lets one tab of a user drain at a time. Without Web Locks every tab holds it. */
import type { Clock, Timer } from '../db/clock.ts';

export interface DrainLock {
  /** False if the browser has no locks: then every tab holds it. */
  readonly exclusive: boolean;
  /** Calls `onAcquired` once the lock is held, which may be never. */
  acquire(onAcquired: () => void): void;
  release(): void;
  /** The holder made progress: restarts the wait of `stuckMs` before the lock is stolen. */
  extendWait(): void;
  /** Sets what to do when another tab steals the lock from this one. */
  onLost(callback: () => void): void;
  /** Runs `work` under the lock if no tab holds it now. */
  tryOnce(work: () => Promise<void>): Promise<void>;
  /** Releases the lock, or stops waiting for it. */
  close(): void;
}

export interface LockTiming {
  clock: Clock;
  /** A holder without progress for this long is considered frozen, and the lock is stolen (S5). */
  stuckMs: number;
}

type Hold =
  | { tag: 'none' }
  | { tag: 'waiting'; onAcquired: () => void; timer: Timer }
  | { tag: 'held'; end(): void };

export function createLock(
  locks: LockManager | undefined,
  name: string,
  { clock, stuckMs }: LockTiming,
): DrainLock {
  const closing = new AbortController();
  let hold: Hold = NONE;
  let exclusive = locks !== undefined;
  let wasLost = () => {};

  function request(options: LockOptions): void {
    let mine: Hold | undefined;
    locks!
      .request(name, options, () => {
        if (hold.tag !== 'waiting') return; // the other of two requests got it, or nobody waits any more
        const { onAcquired } = stopWaiting(hold);
        const ended = new Promise<void>((resolve) => {
          mine = hold = { tag: 'held', end: resolve };
        });
        onAcquired();
        return ended;
      })
      .catch((error) => {
        if (mine !== undefined && hold === mine) {
          hold = NONE;
          wasLost();
        } else if (hold.tag === 'waiting' && !isAbort(error)) {
          // Locks exist but are refused, as to a page whose site may not store anything: as if there were none.
          exclusive = false;
          stopWaiting(hold).onAcquired();
        }
      });
  }

  /** The queued lock request stays pending when a steal is requested, in case the steal fails. */
  function waitFor(onAcquired: () => void): void {
    const timer = clock.setTimeout(() => {
      waitFor(onAcquired);
      request({ steal: true });
    }, stuckMs);
    hold = { tag: 'waiting', onAcquired, timer };
  }

  function stopWaiting(waiting: Extract<Hold, { tag: 'waiting' }>) {
    clock.clearTimeout(waiting.timer);
    hold = NONE;
    return waiting;
  }

  function release(): void {
    if (hold.tag !== 'held') return;
    const { end } = hold;
    hold = NONE;
    end();
  }

  return {
    get exclusive() {
      return exclusive;
    },
    acquire(onAcquired) {
      if (!exclusive) return onAcquired();
      waitFor(onAcquired);
      request({ signal: closing.signal });
    },
    release,
    extendWait() {
      if (hold.tag === 'waiting') waitFor(stopWaiting(hold).onAcquired);
    },
    onLost(callback) {
      wasLost = callback;
    },
    async tryOnce(work) {
      if (!locks) return work();
      await locks.request(name, { ifAvailable: true }, (lock) => (lock ? work() : undefined));
    },
    close() {
      closing.abort();
      if (hold.tag === 'waiting') stopWaiting(hold);
      release();
    },
  };
}

/** The lock name of a user's tabs and service worker. */
export function drainLockOf(userId: string): string {
  return `holdfast:${userId}:drain`;
}

const NONE: Hold = { tag: 'none' };

/** By `close`, or because the lock was stolen. */
function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}
