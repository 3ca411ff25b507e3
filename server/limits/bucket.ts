/** A token bucket: holds up to `burst`, fills by `perSecond`, and what is done takes its cost out of it. */

export interface Rate {
  perSecond: number;
  burst: number;
}

/** What was in it, and when (milliseconds, of any clock that does not run backwards). */
export interface Bucket {
  level: number;
  at: number;
}

export type Taken = { ok: true; state: Bucket } | { ok: false; retryAfter: number };

/** Pure. `retryAfter` is in milliseconds, rounded up. A cost beyond the burst is had from a full bucket. */
export function take(state: Bucket, cost: number, now: number, rate: Rate): Taken {
  const level = levelAt(state, now, rate);
  const needed = Math.min(cost, rate.burst);
  if (level >= needed) return { ok: true, state: { level: level - needed, at: now } };
  return { ok: false, retryAfter: Math.ceil(((needed - level) / rate.perSecond) * 1_000) };
}

export function giveBack(state: Bucket, cost: number, now: number, rate: Rate): Bucket {
  return { level: Math.min(rate.burst, levelAt(state, now, rate) + cost), at: now };
}

export function levelAt(state: Bucket, now: number, rate: Rate): number {
  const elapsed = Math.max(0, now - state.at);
  return Math.min(rate.burst, state.level + (elapsed / 1_000) * rate.perSecond);
}
