/** A counting semaphore with a bounded queue. */
import { RefusedError } from '../base/refusal.ts';

export type Semaphore = <T>(work: () => Promise<T>) => Promise<T>;

/** Runs at most `maxRunning` at once, in FIFO order. Rejects with `unavailable` when `maxWaiting` more are queued. */
export function createSemaphore(maxRunning: number, maxWaiting: number): Semaphore {
  let running = 0;
  const queue: (() => void)[] = [];

  return async (work) => {
    if (running >= maxRunning) {
      if (queue.length >= maxWaiting)
        throw new RefusedError('unavailable', 'The server is busy; try again.', 2_000);
      await new Promise<void>((resolve) => queue.push(resolve)); // the permit is handed over, so `running` is unchanged
    } else running++;
    try {
      return await work();
    } finally {
      const next = queue.shift();
      if (next) next();
      else running--;
    }
  };
}
