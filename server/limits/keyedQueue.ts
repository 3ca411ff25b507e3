/** One queue per key: work of one key runs one at a time, in the order of the calls; different keys do not wait for each other. */
import { RefusedError } from '../base/refusal.ts';

export type KeyedQueue = <T>(key: string, work: () => Promise<T>) => Promise<T>;

interface KeyedQueueOptions {
  /** Per key; further work is refused. */
  maxWaiting: number;
  /** What has waited so long is refused and never begun, since nobody waits for its answer any more. */
  waitMs: number;
  /** A monotonic clock in milliseconds. */
  now: () => number;
}

/** Rejects with `unavailable` what is refused. A key without work takes no memory. */
export function createKeyedQueue({ maxWaiting, waitMs, now }: KeyedQueueOptions): KeyedQueue {
  const queues = new Map<string, { last: Promise<unknown>; length: number }>();

  return async (key, work) => {
    const queue = queues.get(key) ?? { last: Promise.resolve(), length: 0 };
    if (queue.length > maxWaiting) throw tooMany();
    queues.set(key, queue);
    queue.length++;
    const until = now() + waitMs;
    const mine = queue.last.then(() => {
      if (now() >= until) throw tooMany();
      return work();
    });
    queue.last = mine.catch(() => {});
    try {
      return await mine;
    } finally {
      queue.length--;
      if (queue.length === 0) queues.delete(key);
    }
  };
}

function tooMany(): RefusedError {
  return new RefusedError(
    'unavailable',
    'Too many requests of yours are waiting; try again.',
    RETRY_AFTER_MS,
  );
}

const RETRY_AFTER_MS = 2_000;
