/**
 * How often one may try to sign in. Three buckets, because one would either let guesses through or lock a ward out:
 * - address and name: every attempt (docs/PROTOCOL.md: 10 a minute);
 * - user, from all addresses: wrong passwords. Whoever guesses from many addresses can so keep a person from signing
 *   in anew for as long as they go on; sessions that are open stay open;
 * - address, whatever the names: new users and wrong passwords. Those who only come back through one address that a
 *   whole house shares do not count.
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
  /** Throws `rate-limited` when this address has tried too often. */
  attempt(address: string, nameKey: string): void;
  /** The attempt was by somebody who is a user already and proved it. */
  proven(address: string): void;
  /** Throws `rate-limited` when this user's password was guessed at too often. Taken before the work, so that guesses
   * that run at the same time count too; `rightGuess` gives it back. */
  guess(user: string): void;
  rightGuess(user: string): void;
  /** Throws `forbidden` when this user has changed their name too often. Returns what undoes the count. */
  rename(user: string): () => void;
}

/** `now` in milliseconds, monotonic. */
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
      takeOrRefuse(byName, `${from} ${nameKey}`, SORRY);
      takeOrRefuse(byAddress, from, SORRY);
    },
    proven: (address) => byAddress.giveBack(addressKey(address), 1),
    guess: (user) => takeOrRefuse(byUser, user, SORRY),
    rightGuess: (user) => byUser.giveBack(user, 1),
    rename(user) {
      // not `rate-limited`, which is for what a minute mends
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

const SORRY = 'Too many attempts; wait a little and try again.';
