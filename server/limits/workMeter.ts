/**
 * Charges work to the user and to the address that cause it. A unit is one call of the store, or 4 KiB that are sent. What a
 * request costs is known when it is done, so it is admitted while there is credit, and may leave a debt of at most a burst.
 * Two accounts: `reads` for what is answered, `faults` for what is refused after work. So a client that reads much can still
 * append, and only one that is refused again and again cannot.
 *
 * Each process has its own meter. Many processes therefore allow as many times the rate: their sum has also as much CPU, and
 * a shared count would cost a database call for each request.
 */
import type { OnLimit } from '../base/audit.ts';
import { RefusedError } from '../base/refusal.ts';
import type { Rate } from './bucket.ts';
import { createLimiter, type Limiter } from './limiter.ts';

/** Who pays. `address`: a key made by `addressKey`. */
export interface Payer {
  user: string;
  address: string;
}

export type WorkAccount = 'reads' | 'faults';

export interface WorkMeter {
  /** Throws `rate-limited` while the user or the address is in debt. */
  admit(payer: Payer, account: WorkAccount): void;
  charge(payer: Payer, account: WorkAccount, units: number): void;
}

/** `now`: a monotonic clock in milliseconds. `onLimit` is called with the account of each refusal. */
export function createWorkMeter(now: () => number, onLimit: OnLimit): WorkMeter {
  const limiters = (user: Rate, address: Rate) => ({
    user: createLimiter({ ...user, now }),
    address: createLimiter({ ...address, now }),
  });
  const accounts = {
    reads: limiters(READS_OF_USER, READS_OF_ADDRESS),
    faults: limiters(FAULTS_OF_USER, FAULTS_OF_ADDRESS),
  };
  const each = (account: WorkAccount, { user, address }: Payer): [Limiter, string][] => [
    [accounts[account].user, user],
    [accounts[account].address, address],
  ];
  return {
    admit(payer, account) {
      const retryAfter = Math.max(...each(account, payer).map(([limiter, key]) => limiter.waitFor(key, 1)));
      if (retryAfter === 0) return;
      onLimit(account, payer);
      throw new RefusedError(
        'rate-limited',
        'That was too much work for the server; wait a moment.',
        retryAfter,
      );
    },
    charge(payer, account, units) {
      if (units > 0) for (const [limiter, key] of each(account, payer)) limiter.spend(key, units);
    },
  };
}

export const BYTES_PER_UNIT = 4 * 1024;

/** A catch-up of 500 rooms after a long absence costs some 2,000 units, a range of 64 KiB 20. */
const READS_OF_USER: Rate = { perSecond: 200, burst: 8_000 };
/** Two hundred people behind one address open the app at the same time. */
const READS_OF_ADDRESS: Rate = { perSecond: 2_000, burst: 100_000 };
/** Above the rate of items: a device with 2,000 rows for a room that it was removed from gets its refusals at that rate. */
const FAULTS_OF_USER: Rate = { perSecond: 100, burst: 2_000 };
const FAULTS_OF_ADDRESS: Rate = { perSecond: 1_000, burst: 20_000 };
