/** A rate limit for tokens that are not valid. Each costs a read of the database, and anybody can make one up. */
import { createRecentMap } from '../base/recentMap.ts';
import { RefusedError } from '../base/refusal.ts';
import { UNKNOWN_TOKENS_OF_ADDRESS } from '../base/serverLimits.ts';
import { addressKey } from '../limits/addressKey.ts';
import { createLimiter } from '../limits/limiter.ts';
import type { Auth } from './auth.ts';
import { hashToken } from './tokens.ts';

/**
 * The same `identify`, but beyond the rate of its address a token is refused with `rate-limited` before the store is asked.
 * Tokens that were valid lately are never refused: others behind the same address notice nothing. `now`: a monotonic clock
 * in milliseconds.
 */
export function limitUnknownTokens(
  identify: Auth['identify'],
  { now, onLimit }: { now: () => number; onLimit: (address: string) => void },
): Auth['identify'] {
  const unknown = createLimiter({ ...UNKNOWN_TOKENS_OF_ADDRESS, now });
  /** By their hashes. */
  const valid = createRecentMap<string, true>({ maxEntries: MAX_VALID, keepMs: VALID_FOR_MS, now });

  return async (token, address) => {
    const key = addressKey(address);
    const hashed = hashToken(token);
    const retryAfter = valid.get(hashed) ? 0 : unknown.waitFor(key, 1);
    if (retryAfter > 0) {
      onLimit(key);
      throw new RefusedError(
        'rate-limited',
        'Too many sessions that are not valid; wait a moment.',
        retryAfter,
      );
    }
    const identity = await identify(token, address).catch((error: unknown) => {
      valid.delete(hashed);
      const isSignedOut = error instanceof RefusedError && error.code === 'unauthorized';
      if (isSignedOut) unknown.spend(key, 1);
      throw error;
    });
    if (identity) valid.set(hashed, true);
    else {
      valid.delete(hashed);
      unknown.spend(key, 1);
    }
    return identity;
  };
}

const MAX_VALID = 20_000;
const VALID_FOR_MS = 24 * 60 * 60 * 1000;
