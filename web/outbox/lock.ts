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

export function createLock(
  locks: LockManager | undefined,
  name: string,
  { clock, stuckMs }: Patience,
): DrainLock {
  const closing = new AbortController();
  let release = () => {};
  let wasLost = () => {};
  /** What is waited for now, and when that is too long. */
  let asked: { held: () => void; timer: Timer } | undefined;

  function request(options: LockOptions): void {
    let got = false;
    locks!
      .request(name, options, () => {
        const taken = asked;
        if (!taken || closing.signal.aborted) return; // the other of two requests has got it
        stopWaiting();
        got = true;
        const released = new Promise<void>((resolve) => {
          release = resolve;
        });
        taken.held();
        return released;
      })
      .catch(() => {
        if (got && !closing.signal.aborted) wasLost();
      });
  }

  /** What was asked for before stays asked: a steal that fails must leave a place in the queue. */
  function waitFor(held: () => void): void {
    const timer = clock.setTimeout(() => {
      waitFor(held);
      request({ steal: true });
    }, stuckMs);
    asked = { held, timer };
  }

  function stopWaiting(): void {
    if (asked) clock.clearTimeout(asked.timer);
    asked = undefined;
  }

  return {
    exclusive: locks !== undefined,
    take(held) {
      if (!locks) return held();
      waitFor(held);
      request({ signal: closing.signal });
    },
    release: () => release(),
    heard() {
      if (!asked) return;
      const { held } = asked;
      stopWaiting();
      waitFor(held);
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
      stopWaiting();
      release();
    },
  };
}
