/** Lets a few through at a time and a few more wait. */
import { RefusedError } from '../base/refusal.ts';

export type Gate = <T>(work: () => Promise<T>) => Promise<T>;

/** Runs at most `most` at once, in the order they came; beyond `mostWaiting` more it refuses with `unavailable`. */
export function createGate(most: number, mostWaiting: number): Gate {
  let running = 0;
  const waiting: (() => void)[] = [];

  return async (work) => {
    if (running >= most) {
      if (waiting.length >= mostWaiting)
        throw new RefusedError('unavailable', 'Too much to do at once; try again.', 2_000);
      await new Promise<void>((resolve) => waiting.push(resolve)); // its turn is handed over, `running` stays
    } else running++;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
}
