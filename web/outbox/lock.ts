/** One drain at a time among the tabs of a user. Without Web Locks everybody holds it. */
import type { Clock, Timer } from '../db/clock.ts';

export interface DrainLock {
  /** False where the browser withholds locks: then everybody holds it. */
  readonly exclusive: boolean;
  /** Calls back once it is held, which may be never. */
  take(held: () => void): void;
  release(): void;
  /** Another holder is at work: it is waited for, for `stuckMs` anew. */
  heard(): void;
  /** What to do when it was stolen from us. */
  lost(callback: () => void): void;
  /** Does `work` if nobody holds it just now. */
  tryOnce(work: () => Promise<void>): Promise<void>;
  /** Gives it up, and no longer waits for it. */
  close(): void;
}

export interface Patience {
  clock: Clock;
  /** So long a holder may show no work; then it stands still, and the lock is stolen (S5). */
  stuckMs: number;
}

type Hold =
  | { tag: 'none' }
  | { tag: 'waiting'; held: () => void; timer: Timer }
  | { tag: 'held'; end(): void };

export function createLock(
  locks: LockManager | undefined,
  name: string,
  { clock, stuckMs }: Patience,
): DrainLock {
  const closing = new AbortController();
  let hold: Hold = NONE;
  let exclusive = locks !== undefined;
  let wasLost = () => {};

  function request(options: LockOptions): void {
    let mine: Hold | undefined;
    locks!
      .request(name, options, () => {
        if (hold.tag !== 'waiting') return; // the other of two requests has got it, or nobody wants it any more
        const { held } = stopWaiting(hold);
        const ended = new Promise<void>((resolve) => {
          mine = hold = { tag: 'held', end: resolve };
        });
        held();
        return ended;
      })
      .catch((error) => {
        if (mine !== undefined && hold === mine) {
          hold = NONE;
          wasLost();
        } else if (hold.tag === 'waiting' && !isAbort(error)) {
          // Locks are there and refused, as to a page whose site may keep nothing: as if there were none.
          exclusive = false;
          stopWaiting(hold).held();
        }
      });
  }

  /** What was asked for before stays asked: a steal that fails must leave a place in the queue. */
  function waitFor(held: () => void): void {
    const timer = clock.setTimeout(() => {
      waitFor(held);
      request({ steal: true });
    }, stuckMs);
    hold = { tag: 'waiting', held, timer };
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
    take(held) {
      if (!exclusive) return held();
      waitFor(held);
      request({ signal: closing.signal });
    },
    release,
    heard() {
      if (hold.tag === 'waiting') waitFor(stopWaiting(hold).held);
    },
    lost(callback) {
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

/** The lock of a user's tabs and worker. */
export function drainLockOf(userId: string): string {
  return `holdfast:${userId}:drain`;
}

const NONE: Hold = { tag: 'none' };

/** We closed, or it was stolen. */
function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}
