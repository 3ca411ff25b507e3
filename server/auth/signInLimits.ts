/**
 * Rate limits for signing in, passwords and names. Nobody can lock out another user by guessing:
 *
 * - Attempts to sign in, right or wrong, count per address and name; new users and wrong passwords also count per address,
 *   for all names. Returning users do not, so that many people can share one address.
 * - Wrong passwords of one user count per address: a burst of 10, then one a minute.
 * - Those from addresses where this user has not been lately also count together: a burst of 60, then 6 a minute. So a
 *   botnet has 8,700 guesses in the first day, and 8,640 on each later one, for one user. It takes six addresses that
 *   guess all the time to keep the user from signing in at a new address.
 * - Addresses where the user has been lately (recentAddresses.ts) are not part of that: what strangers do elsewhere does
 *   not count there. Whoever is attacked signs in where one of their devices is in use, or was.
 * - Wrong one-time codes count per address, and all together: whoever guesses a code may guess everybody's at once. So
 *   who has some twelve addresses can keep others from typing codes; a pass of 128 bits and a password work meanwhile.
 * - Changing a password has limits of its own, per device and per user: guesses at the sign-in do not count there, and the
 *   20 guesses a day on a stolen phone leave the other devices of its owner alone. Both are `forbidden` when exceeded, as
 *   they take a day to mend.
 *
 * Per process: with four processes, an attacker has four times as many guesses. All keys are hashed or ids of fixed length,
 * and each limiter keeps at most 100,000 of them; a flood of keys forgets the oldest ones. Only real users and devices are
 * keys of the limits on guesses, and an address has 60 new keys a minute.
 */
import { createHash } from 'node:crypto';
import {
  COME_BACKS_BURST_OF_ADDRESS,
  COME_BACKS_PER_HOUR_AND_ADDRESS,
  CURRENT_PASSWORDS_PER_DAY,
  CURRENT_PASSWORDS_PER_DAY_AND_DEVICE,
  DEVICES_PER_DAY,
  PASSES_BURST,
  PASSES_PER_MINUTE,
  PASSWORD_CHANGES_PER_DAY,
  RENAME_ATTEMPTS_PER_MINUTE,
  SIGN_INS_BURST_OF_ADDRESS,
  SIGN_INS_PER_MINUTE,
  SIGN_INS_PER_MINUTE_AND_ADDRESS,
  WRONG_CODES_BURST,
  WRONG_CODES_BURST_OF_ADDRESS,
  WRONG_CODES_PER_MINUTE,
  WRONG_CODES_PER_MINUTE_AND_ADDRESS,
  WRONG_PASSWORDS_BURST,
  WRONG_PASSWORDS_BURST_OF_ADDRESS,
  WRONG_PASSWORDS_PER_MINUTE,
  WRONG_PASSWORDS_PER_MINUTE_AND_ADDRESS,
} from '../../shared/limits.ts';
import type { OnLimit } from '../base/audit.ts';
import { RefusedError } from '../base/refusal.ts';
import { COME_BACK_LOOKS_OF_ADDRESS } from '../base/serverLimits.ts';
import { addressKey } from '../limits/addressKey.ts';
import { createLimiter, type Limiter } from '../limits/limiter.ts';
import type { OneTimePass } from '../store/port.ts';
import { createRecentAddresses } from './recentAddresses.ts';

export interface SignInLimits {
  /**
   * Counts an attempt. Throws `rate-limited` if there were too many from this address. A repeat under the same claim counts
   * for its name alone, until the claim is refused: on a busy server some of two hundred people are answered too late.
   * `claim`: its hash, which covers the name.
   */
  attempt(address: string, nameKey: string, claim: string): Attempt;
  /**
   * Counts a guess at the sign-in, before it is verified, so that concurrent guesses count too. Throws `rate-limited` if
   * there were too many. Returns a function that refunds it: the guess was right, or was never verified.
   */
  guess(user: string, address: string): () => void;
  /** The same for the current password, when a signed-in device changes it. Throws `forbidden`. */
  guessCurrent(user: string, device: string): () => void;
  /** Counts a change of the password. Throws `forbidden` if there were too many. Returns a function that refunds it. */
  changePassword(user: string): () => void;
  /** Counts a new device, after the password was right. Throws `forbidden` if there were too many. */
  addDevice(user: string): void;
  /** Counts a new one-time pass or code of this user. Throws `rate-limited` if there were too many. */
  makePass(user: string): void;
  /**
   * Counts a try of a pass, before it is looked up. Throws `rate-limited` if there were too many wrong ones. Returns a function
   * that refunds it: the pass was right, or was never looked up.
   */
  tryPass(address: string, kind: OneTimePass['kind']): () => void;
  /** The same for an invitation: guesses of their codes leave the tries of one-time codes alone. */
  tryInvitation(address: string, kind: OneTimePass['kind']): () => void;
  /** Counts a request to come back. Throws `forbidden` if there were too many from this address. */
  askToComeBack(address: string): void;
  /** Counts a look at such a request. Throws `rate-limited` if there were too many from this address. */
  lookAfterRequest(address: string): void;
  /** Counts an attempt to rename, also to a taken name. Throws `rate-limited` if there were too many. */
  attemptRename(user: string): void;
  /** The user has proven at this address to be who they are, by a password or by the token of a device. */
  wasAt(user: string, address: string): void;
  /** True if the user was at this address lately. */
  isKnownAt(user: string, address: string): boolean;
}

export interface Attempt {
  /** It created no user and guessed no password wrong: it does not count against the address. */
  harmless(): void;
  /** It has an answer that a repeat would not change: a repeat counts as a new attempt. */
  refused(): void;
}

/** `now`: a monotonic clock in milliseconds. `onLimit`: a limit refuses something. */
export function createSignInLimits(now: () => number, onLimit: OnLimit = () => {}): SignInLimits {
  const byName = createLimiter({ ...perMinute(SIGN_INS_PER_MINUTE), now });
  const byAddress = createLimiter({
    ...perMinute(SIGN_INS_PER_MINUTE_AND_ADDRESS, SIGN_INS_BURST_OF_ADDRESS),
    now,
  });
  const guessesAtAddress = createLimiter({
    ...perMinute(WRONG_PASSWORDS_PER_MINUTE_AND_ADDRESS, WRONG_PASSWORDS_BURST_OF_ADDRESS),
    now,
  });
  const guessesOfStrangers = createLimiter({
    ...perMinute(WRONG_PASSWORDS_PER_MINUTE, WRONG_PASSWORDS_BURST),
    now,
  });
  const currentOnDevice = createLimiter({ ...perDay(CURRENT_PASSWORDS_PER_DAY_AND_DEVICE), now });
  const currentOfUser = createLimiter({ ...perDay(CURRENT_PASSWORDS_PER_DAY), now });
  const changes = createLimiter({ ...perDay(PASSWORD_CHANGES_PER_DAY), now });
  const devices = createLimiter({ ...perDay(DEVICES_PER_DAY), now });
  const passes = createLimiter({ ...perMinute(PASSES_PER_MINUTE, PASSES_BURST), now });
  const codes = createCodeLimits();
  const invitationCodes = createCodeLimits();
  const comeBacks = createLimiter({
    perSecond: COME_BACKS_PER_HOUR_AND_ADDRESS / 3_600,
    burst: COME_BACKS_BURST_OF_ADDRESS,
    now,
  });
  const comeBackLooks = createLimiter({ ...COME_BACK_LOOKS_OF_ADDRESS, now });
  const renameAttempts = createLimiter({ ...perMinute(RENAME_ATTEMPTS_PER_MINUTE), now });
  const recent = createRecentAddresses(now);
  /** Address and claim of attempts that have counted, the oldest first. */
  const counted = new Set<string>();

  return {
    attempt(client, nameKey, claim) {
      const address = addressKey(client);
      const key = `${address} ${claim}`;
      // First: an address without tokens adds no keys to `byName`.
      const refund = counted.has(key)
        ? () => {}
        : takeOrWait(byAddress, address, TOO_MANY, 'sign-ins of address', { address });
      try {
        takeOrWait(byName, pairOf(address, nameKey), TOO_MANY, 'sign-ins of name', { address });
      } catch (error) {
        refund();
        throw error;
      }
      counted.add(key);
      if (counted.size > COUNTED_CLAIMS) counted.delete(counted.values().next().value!);
      return { harmless: refund, refused: () => void counted.delete(key) };
    },
    guess(user, client) {
      const address = addressKey(client);
      const who = { user, address };
      const pair = pairOf(address, user);
      const refund = takeOrWait(guessesAtAddress, pair, TOO_MANY_WRONG, 'wrong passwords of address', who);
      if (recent.has(user, address)) return refund;
      return both(refund, () =>
        takeOrWait(guessesOfStrangers, user, UNDER_ATTACK, 'wrong passwords of user', who),
      );
    },
    guessCurrent(user, device) {
      const who = { user, device };
      const refund = takeOrForbid(currentOnDevice, device, TOO_MANY_ON_DEVICE, 'password of device', who);
      return both(refund, () =>
        takeOrForbid(currentOfUser, user, 'Too many wrong passwords today.', 'password of user', who),
      );
    },
    changePassword(user) {
      const message = `A password can be changed ${PASSWORD_CHANGES_PER_DAY} times a day.`;
      return takeOrForbid(changes, user, message, 'password changes', { user });
    },
    addDevice(user) {
      const message = `A user can sign in on ${DEVICES_PER_DAY} new devices a day.`;
      takeOrForbid(devices, user, message, 'devices', { user });
    },
    makePass(user) {
      takeOrWait(passes, user, TOO_MANY, 'passes', { user });
    },
    tryPass: (client, kind) => tryCode(codes, client, kind),
    tryInvitation: (client, kind) => tryCode(invitationCodes, client, kind),
    askToComeBack(client) {
      const address = addressKey(client);
      const message = 'Too many requests to come back from this network: try again later today.';
      takeOrForbid(comeBacks, address, message, 'come-back requests of address', { address });
    },
    lookAfterRequest(client) {
      const address = addressKey(client);
      takeOrWait(comeBackLooks, address, TOO_MANY, 'come-back looks of address', { address });
    },
    attemptRename(user) {
      takeOrWait(renameAttempts, user, TOO_MANY, 'rename attempts', { user });
    },
    wasAt: recent.add,
    isKnownAt: recent.has,
  };

  function createCodeLimits() {
    const atAddress = perMinute(WRONG_CODES_PER_MINUTE_AND_ADDRESS, WRONG_CODES_BURST_OF_ADDRESS);
    return {
      atAddress: createLimiter({ ...atAddress, now }),
      ofAll: createLimiter({ ...perMinute(WRONG_CODES_PER_MINUTE, WRONG_CODES_BURST), now }),
    };
  }

  function tryCode(
    { atAddress, ofAll }: ReturnType<typeof createCodeLimits>,
    client: string,
    kind: OneTimePass['kind'],
  ): () => void {
    const address = addressKey(client);
    if (kind === 'link') return takeOrWait(byAddress, address, TOO_MANY, 'sign-ins of address', { address });
    const refund = takeOrWait(atAddress, address, TOO_MANY_CODES, 'wrong codes of address', { address });
    return both(refund, () => takeOrWait(ofAll, '', TOO_MANY_CODES, 'wrong codes', { address }));
  }

  /** Takes a token; returns a function that gives it back. */
  function takeOrWait(
    limiter: Limiter,
    key: string,
    message: string,
    ...hit: Parameters<OnLimit>
  ): () => void {
    const wait = limiter.take(key, 1);
    if (wait === 0) return () => limiter.giveBack(key, 1);
    onLimit(...hit);
    throw new RefusedError('rate-limited', message, wait);
  }

  /** `forbidden`, not `rate-limited`: clients retry that within a minute, and this takes a day. */
  function takeOrForbid(
    limiter: Limiter,
    key: string,
    message: string,
    ...hit: Parameters<OnLimit>
  ): () => void {
    if (limiter.take(key, 1) === 0) return () => limiter.giveBack(key, 1);
    onLimit(...hit);
    throw new RefusedError('forbidden', message);
  }
}

/** Where the second limit refuses, the first one is refunded. */
function both(refund: () => void, take: () => () => void): () => void {
  try {
    const refundSecond = take();
    return () => {
      refund();
      refundSecond();
    };
  } catch (error) {
    refund();
    throw error;
  }
}

/** Of fixed length: a name's key may have 720 characters. */
function pairOf(address: string, other: string): string {
  return createHash('sha256').update(`${address} ${other}`).digest('base64url');
}

function perMinute(count: number, burst = count) {
  return { perSecond: count / 60, burst };
}

function perDay(count: number) {
  return { perSecond: count / DAY_S, burst: count };
}

const DAY_S = 24 * 60 * 60;

/** At 100 bytes each, 1 MB. */
const COUNTED_CLAIMS = 10_000;

const TOO_MANY = 'Too many attempts; wait a moment and try again.';
const TOO_MANY_CODES = 'Too many wrong codes; wait a moment and try again.';
const UNDER_ATTACK =
  'Somebody is trying passwords for this name: try again in a moment, or sign in on a network where one of your devices is signed in.';
const TOO_MANY_ON_DEVICE =
  'Too many wrong passwords on this device: try again tomorrow, or on another device.';
const TOO_MANY_WRONG = 'Too many wrong passwords from this network; wait a moment and try again.';
