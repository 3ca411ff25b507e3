/** A token bucket, as pure functions: holds up to `burst` tokens, refills at `perSecond`, and each action takes its cost. */

export interface Rate {
  perSecond: number;
  burst: number;
}

/** The tokens at time `at`, in milliseconds of any monotonic clock. */
export interface Bucket {
  level: number;
  at: number;
}

export type TakeOutcome = { ok: true; state: Bucket } | { ok: false; retryAfter: number };

/** `retryAfter` is in milliseconds, rounded up. A cost above the burst takes a full bucket. */
export function takeTokens(state: Bucket, cost: number, now: number, rate: Rate): TakeOutcome {
  const level = levelAt(state, now, rate);
  const needed = Math.min(cost, rate.burst);
  if (level >= needed) return { ok: true, state: { level: level - needed, at: now } };
  return { ok: false, retryAfter: Math.ceil(((needed - level) / rate.perSecond) * 1_000) };
}

/** Takes `cost` that was caused already, if need be more than there is: the level may fall to minus one burst. */
export function spendTokens(state: Bucket, cost: number, now: number, rate: Rate): Bucket {
  return { level: Math.max(-rate.burst, levelAt(state, now, rate) - cost), at: now };
}

/** Refunds `cost`, up to a full bucket. */
export function giveBack(state: Bucket, cost: number, now: number, rate: Rate): Bucket {
  return { level: Math.min(rate.burst, levelAt(state, now, rate) + cost), at: now };
}

/** The tokens at `now`. A clock that jumps back refills nothing and takes nothing. */
function levelAt(state: Bucket, now: number, rate: Rate): number {
  const elapsed = Math.max(0, now - state.at);
  return Math.min(rate.burst, state.level + (elapsed / 1_000) * rate.perSecond);
}
