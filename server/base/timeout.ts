/** A deadline for a promise, and retries with backoff. */
import { Unavailable } from './refusal.ts';

/**
 * Resolves or rejects as `promise` does. Rejects with `Unavailable`, or with what `late` returns, when it takes longer than `ms`
 * milliseconds; the work behind `promise` is not cancelled, and its result is then discarded.
 */
export async function withTimeout<T>(ms: number, promise: Promise<T>, late = isSlow): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), ms);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

const isSlow = () => new Unavailable('The server is slow at the moment; try again.');

/**
 * Retries `step` until it succeeds or `isOver()` is true, with exponential backoff. `pause` (milliseconds) must wait on a
 * timer: a pause that resolves at once would retry in microtasks and block the event loop. Never rejects.
 */
export async function retryUntilDone(
  step: () => Promise<unknown>,
  { pause, isOver }: { pause: (ms: number) => Promise<void>; isOver: () => boolean },
): Promise<void> {
  for (let wait = FIRST_PAUSE_MS; !isOver(); wait = Math.min(2 * wait, LONGEST_PAUSE_MS)) {
    try {
      await step();
      return;
    } catch {
      await pause(wait);
    }
  }
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;
