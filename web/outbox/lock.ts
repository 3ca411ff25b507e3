/** One drain at a time among the tabs of a user. Without Web Locks everybody holds it. */

export interface DrainLock {
  /** Calls back once it is held, which may be never. */
  take(held: () => void): void;
  release(): void;
  /** Does `work` if nobody holds it just now. */
  tryOnce(work: () => Promise<void>): Promise<void>;
  /** Gives it up, and no longer waits for it. */
  close(): void;
}

export function createLock(locks: LockManager | undefined, name: string): DrainLock {
  const closing = new AbortController();
  let release = () => {};

  return {
    take(held) {
      if (!locks) return held();
      locks
        .request(name, { signal: closing.signal }, () => {
          if (closing.signal.aborted) return;
          const released = new Promise<void>((resolve) => {
            release = resolve;
          });
          held();
          return released;
        })
        .catch(() => {}); // only ever aborted by `close`
    },
    release: () => release(),
    async tryOnce(work) {
      if (!locks) return work();
      await locks.request(name, { ifAvailable: true }, (lock) => (lock ? work() : undefined));
    },
    close() {
      closing.abort();
      release();
    },
  };
}
