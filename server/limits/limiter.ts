/** A rate limiter: one token bucket per key, in bounded memory. */
import { RefusedError } from '../base/refusal.ts';
import { type Bucket, giveBack, levelAt, type Rate, spendTokens, takeTokens } from './bucket.ts';

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

/** `now`: a monotonic clock in milliseconds. Full buckets are dropped, since a missing key means a full bucket. */
export function createLimiter({ now, ...rate }: Rate & { now: () => number }): Limiter {
  // Least recently used first: a Map keeps insertion order, and every use inserts the key again.
  const buckets = new Map<string, Bucket>();
  const full = (): Bucket => ({ level: rate.burst, at: now() });

  const keep = (key: string, bucket: Bucket) => {
    buckets.delete(key);
    buckets.set(key, bucket);
    dropFull(buckets, now(), rate);
    // A flood of new keys evicts the least recently used one instead of growing the memory.
    if (buckets.size > MAX_KEYS) buckets.delete(buckets.keys().next().value!);
  };

  return {
    take(key, cost) {
      const outcome = takeTokens(buckets.get(key) ?? full(), cost, now(), rate);
      if (!outcome.ok) return outcome.retryAfter;
      keep(key, outcome.state);
      return 0;
    },
    spend: (key, cost) => keep(key, spendTokens(buckets.get(key) ?? full(), cost, now(), rate)),
    waitFor(key, cost) {
      const outcome = takeTokens(buckets.get(key) ?? full(), cost, now(), rate);
      return outcome.ok ? 0 : outcome.retryAfter;
    },
    giveBack(key, cost) {
      const bucket = buckets.get(key);
      if (bucket) keep(key, giveBack(bucket, cost, now(), rate));
    },
  };
}

/** Throws `rate-limited` with `message` when `key` has no token left. */
export function takeOrRefuse(limiter: Limiter, key: string, message: string): void {
  const retryAfter = limiter.take(key, 1);
  if (retryAfter > 0) throw new RefusedError('rate-limited', message, retryAfter);
}

/** Checks the two least recently used buckets. Each use adds at most one and may drop two, so none stays for ever. */
function dropFull(buckets: Map<string, Bucket>, now: number, rate: Rate): void {
  let checks = 2;
  for (const [key, bucket] of buckets) {
    if (checks-- === 0 || levelAt(bucket, now, rate) < rate.burst) return;
    buckets.delete(key);
  }
}

const MAX_KEYS = 100_000;
