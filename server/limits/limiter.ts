/** A token bucket per key, in bounded memory. */
import { RefusedError } from '../base/refusal.ts';
import { type Bucket, giveBack, levelAt, type Rate, take } from './bucket.ts';

export interface Limiter {
  /** 0 when it may be done, else the milliseconds after which it may. */
  take(key: string, cost: number): number;
  /** For what was taken and then not used. */
  giveBack(key: string, cost: number): void;
}

/** `now` in milliseconds, monotonic. A full bucket is as good as none and is forgotten. */
export function createLimiter({ now, ...rate }: Rate & { now: () => number }): Limiter {
  // In the order of their last use: a Map keeps the order in which keys were set.
  const buckets = new Map<string, Bucket>();
  const full = (): Bucket => ({ level: rate.burst, at: now() });

  const keep = (key: string, bucket: Bucket) => {
    buckets.delete(key);
    buckets.set(key, bucket);
    forgetFull(buckets, now(), rate);
    // Whoever floods with ever new keys pushes the longest unused out, not the memory over.
    if (buckets.size > MOST_KEYS) buckets.delete(buckets.keys().next().value!);
  };

  return {
    take(key, cost) {
      const taken = take(buckets.get(key) ?? full(), cost, now(), rate);
      if (!taken.ok) return taken.retryAfter;
      keep(key, taken.state);
      return 0;
    },
    giveBack(key, cost) {
      const bucket = buckets.get(key);
      if (bucket) keep(key, giveBack(bucket, cost, now(), rate));
    },
  };
}

/** Throws `rate-limited` where it may not be done yet. */
export function takeOrRefuse(limiter: Limiter, key: string, message: string): void {
  const retryAfter = limiter.take(key, 1);
  if (retryAfter > 0) throw new RefusedError('rate-limited', message, retryAfter);
}

/** Looks at the few that were longest unused: with every use two may go, so that none stays for ever. */
function forgetFull(buckets: Map<string, Bucket>, now: number, rate: Rate): void {
  let looks = 2;
  for (const [key, bucket] of buckets) {
    if (looks-- === 0 || levelAt(bucket, now, rate) < rate.burst) return;
    buckets.delete(key);
  }
}

const MOST_KEYS = 100_000;
