/** A rate limiter: one token bucket per key, in bounded memory. */
import { createRecentMap } from '../base/recentMap.ts';
import { type Bucket, giveBack, type Rate, spendTokens, takeTokens } from './bucket.ts';

export interface Limiter {
  /** Takes `cost` tokens and returns 0, or takes nothing and returns the milliseconds until there are enough. */
  take(key: string, cost: number): number;
  /** Takes tokens for work that is done already, if need be more than there are: `take` then waits until the debt is paid. */
  spend(key: string, cost: number): void;
  /** The milliseconds until there are `cost` tokens, without taking any. */
  waitFor(key: string, cost: number): number;
  /** Refunds tokens that were taken and not used. */
  giveBack(key: string, cost: number): void;
}

/**
 * `now`: a monotonic clock in milliseconds. A bucket that is not used is forgotten when it is full, since a missing key means
 * a full bucket. A flood of new keys makes it forget those that were not used for longest, instead of growing the memory.
 */
export function createLimiter({ now, ...rate }: Rate & { now: () => number }): Limiter {
  const fullAfterMs = (2 * rate.burst * 1_000) / rate.perSecond; // from a debt of one burst
  const buckets = createRecentMap<string, Bucket>({ maxEntries: MAX_KEYS, keepMs: fullAfterMs, now });
  const bucketOf = (key: string, at: number): Bucket => buckets.get(key) ?? { level: rate.burst, at };

  return {
    take(key, cost) {
      const at = now();
      const outcome = takeTokens(bucketOf(key, at), cost, at, rate);
      if (!outcome.ok) return outcome.retryAfter;
      buckets.set(key, outcome.state);
      return 0;
    },
    spend(key, cost) {
      const at = now();
      buckets.set(key, spendTokens(bucketOf(key, at), cost, at, rate));
    },
    waitFor(key, cost) {
      const bucket = buckets.get(key);
      if (!bucket) return 0;
      const outcome = takeTokens(bucket, cost, now(), rate);
      return outcome.ok ? 0 : outcome.retryAfter;
    },
    giveBack(key, cost) {
      const bucket = buckets.get(key);
      if (bucket) buckets.set(key, giveBack(bucket, cost, now(), rate));
    },
  };
}

const MAX_KEYS = 100_000;
