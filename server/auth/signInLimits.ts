/**
 * Rate limits for sign-ins and renames. Sign-ins have three buckets, because a single one would either allow password
 * guessing or lock out everybody behind one address:
 * - per address and name: every attempt (docs/PROTOCOL.md: 10 per minute);
 * - per user, from all addresses: wrong passwords. An attacker with many addresses can keep a person from signing in for as
 *   long as the attack lasts; existing sessions are not affected;
 * - per address, for all names: new users and wrong passwords. Returning users do not count, so that many people can share
 *   one address.
 */
import {
  RENAMES_PER_DAY,
  SIGN_INS_BURST_OF_ADDRESS,
  SIGN_INS_PER_MINUTE,
  SIGN_INS_PER_MINUTE_AND_ADDRESS,
  WRONG_PASSWORDS_PER_MINUTE,
} from '../../shared/limits.ts';
import { RefusedError } from '../base/refusal.ts';
import { addressKey } from '../limits/addressKey.ts';
import { createLimiter, takeOrRefuse } from '../limits/limiter.ts';

export interface SignInLimits {
  /** Counts an attempt. Throws `rate-limited` if there were too many from this address. */
  attempt(address: string, nameKey: string): void;
  /** The attempt was by an existing user who has authenticated: it does not count against the address. */
  proven(address: string): void;
  /**
   * Counts a password guess, before it is verified, so that concurrent guesses count too; `rightGuess` refunds it. Throws
   * `rate-limited` if there were too many for this user.
   */
  guess(user: string): void;
  rightGuess(user: string): void;
  /** Counts a rename. Throws `forbidden` if there were too many. Returns a function that refunds it. */
  rename(user: string): () => void;
}

/** `now`: a monotonic clock in milliseconds. */
export function createSignInLimits(now: () => number): SignInLimits {
  const byName = createLimiter({ ...perMinute(SIGN_INS_PER_MINUTE), now });
  const byUser = createLimiter({ ...perMinute(WRONG_PASSWORDS_PER_MINUTE), now });
  const byAddress = createLimiter({
    ...perMinute(SIGN_INS_PER_MINUTE_AND_ADDRESS),
    burst: SIGN_INS_BURST_OF_ADDRESS,
    now,
  });
  const renames = createLimiter({ perSecond: RENAMES_PER_DAY / DAY_S, burst: RENAMES_PER_DAY, now });
  return {
    attempt(address, nameKey) {
      const from = addressKey(address);
      takeOrRefuse(byName, `${from} ${nameKey}`, TOO_MANY);
      takeOrRefuse(byAddress, from, TOO_MANY);
    },
    proven: (address) => byAddress.giveBack(addressKey(address), 1),
    guess: (user) => takeOrRefuse(byUser, user, TOO_MANY),
    rightGuess: (user) => byUser.giveBack(user, 1),
    rename(user) {
      // not `rate-limited`: clients retry that within a minute, and this takes a day
      if (renames.take(user, 1) > 0)
        throw new RefusedError('forbidden', `A name can be changed ${RENAMES_PER_DAY} times a day.`);
      return () => renames.giveBack(user, 1);
    },
  };
}

const DAY_S = 24 * 60 * 60;

function perMinute(count: number) {
  return { perSecond: count / 60, burst: count };
}

const TOO_MANY = 'Too many attempts; wait a moment and try again.';
