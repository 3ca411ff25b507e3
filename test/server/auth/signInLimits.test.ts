import { describe, expect, test } from 'vitest';
import { createRecentAddresses } from '../../../server/auth/recentAddresses.ts';
import { createSignInLimits } from '../../../server/auth/signInLimits.ts';
import { RefusedError } from '../../../server/base/refusal.ts';
import {
  RECENT_ADDRESS_LIFETIME_MS,
  RECENT_ADDRESS_USERS,
  RECENT_ADDRESSES,
} from '../../../server/base/serverLimits.ts';
import {
  CURRENT_PASSWORDS_PER_DAY,
  CURRENT_PASSWORDS_PER_DAY_AND_DEVICE,
  PASSWORD_CHANGES_PER_DAY,
  SIGN_INS_BURST_OF_ADDRESS,
  SIGN_INS_PER_MINUTE,
  WRONG_PASSWORDS_BURST,
  WRONG_PASSWORDS_BURST_OF_ADDRESS,
  WRONG_PASSWORDS_PER_MINUTE,
} from '../../../shared/limits.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const HOME = '192.0.2.1';
const AWAY = '198.51.100.1';

function setUp() {
  const clock = { now: 0 };
  const limits = createSignInLimits(() => clock.now);
  /** A guess that is wrong: its code, or `ok` where it would be verified. */
  const wrong = (address: string, user = 'ada') => codeOf(() => limits.guess(user, address));
  /** What a person with the right password is told. */
  const right = (address: string, user = 'ada') => codeOf(() => limits.guess(user, address)());
  /** Each of so many addresses guesses as often as it may until `until`. Returns how many guesses are verified. */
  const attack = (addresses: number, until: number) => {
    let verified = 0;
    while (clock.now < until) {
      clock.now += 5_000;
      for (let i = 0; i < addresses; i++) if (wrong(`10.0.0.${i}`) === 'ok') verified++;
    }
    return verified;
  };
  return { clock, limits, wrong, right, attack };
}

function codeOf(work: () => unknown): string {
  try {
    work();
    return 'ok';
  } catch (error) {
    return error instanceof RefusedError ? error.code : String(error);
  }
}

describe('attempts to sign in', () => {
  test('count per address and name, and addresses of one IPv6 /64 network are one', () => {
    const { limits } = setUp();
    const from = (i: number) => codeOf(() => limits.attempt(`2001:db8:1:2::${i}`, 'ada', `claim ${i}`));
    for (let i = 1; i <= SIGN_INS_PER_MINUTE; i++) expect(from(i)).toBe('ok');
    expect(from(99)).toBe('rate-limited');
    expect(codeOf(() => limits.attempt('2001:db8:1:3::1', 'ada', 'claim'))).toBe('ok');
  });

  test('above the limit of their name do not count against the address', () => {
    const { limits } = setUp();
    for (let i = 0; i < 2 * SIGN_INS_BURST_OF_ADDRESS; i++)
      codeOf(() => limits.attempt(HOME, 'ada', `claim ${i}`));
    expect(codeOf(() => limits.attempt(HOME, 'bo', 'claim'))).toBe('ok');
  });

  test('that are repeated under their claim count once against the address, until they are refused', () => {
    const { limits } = setUp();
    const signUp = (i: number) => codeOf(() => limits.attempt(HOME, `name ${i}`, `claim ${i}`));
    for (let i = 0; i < SIGN_INS_BURST_OF_ADDRESS; i++) expect(signUp(i)).toBe('ok');
    expect(signUp(SIGN_INS_BURST_OF_ADDRESS)).toBe('rate-limited');
    for (let i = 0; i < SIGN_INS_BURST_OF_ADDRESS; i++) expect(signUp(i)).toBe('ok');

    limits.attempt(HOME, 'name 0', 'claim 0').refused();
    expect(signUp(0)).toBe('rate-limited');
    limits.attempt(HOME, 'name 1', 'claim 1').harmless(); // it did not count, so nothing is given back
    expect(signUp(SIGN_INS_BURST_OF_ADDRESS)).toBe('rate-limited');
  });
});

describe('guesses of a password at the sign-in', () => {
  test('one address has a burst, then one a minute; right ones are free; other users and addresses are not affected', () => {
    const { clock, wrong, right } = setUp();
    for (let i = 0; i < 100; i++) expect(right(AWAY)).toBe('ok');
    for (let i = 0; i < WRONG_PASSWORDS_BURST_OF_ADDRESS; i++) expect(wrong(AWAY)).toBe('ok');
    expect(wrong(AWAY)).toBe('rate-limited');
    clock.now += MINUTE;
    expect([wrong(AWAY), wrong(AWAY)]).toEqual(['ok', 'rate-limited']);
    expect([right(HOME), wrong(AWAY, 'bo')]).toEqual(['ok', 'ok']);
  });

  test('guesses that run at the same time all count', () => {
    const { limits } = setUp();
    const refunds = Array.from({ length: WRONG_PASSWORDS_BURST_OF_ADDRESS }, () => limits.guess('ada', AWAY));
    expect(codeOf(() => limits.guess('ada', AWAY))).toBe('rate-limited');
    refunds[0]!();
    expect(codeOf(() => limits.guess('ada', AWAY))).toBe('ok');
  });

  test('a botnet of any size has 8,700 guesses in a day', () => {
    const { attack } = setUp();
    const verified = attack(50, 10 * MINUTE);
    expect(verified).toBeLessThanOrEqual(WRONG_PASSWORDS_BURST + 10 * WRONG_PASSWORDS_PER_MINUTE);
    expect(verified).toBeGreaterThan(WRONG_PASSWORDS_BURST + 9 * WRONG_PASSWORDS_PER_MINUTE);
    expect(WRONG_PASSWORDS_BURST + (DAY / MINUTE) * WRONG_PASSWORDS_PER_MINUTE).toBe(8_700);
  });

  test('a botnet does not lock out a user where they were lately, with a password or with a device', () => {
    const { clock, limits, wrong, right, attack } = setUp();
    limits.wasAt('ada', HOME);
    attack(50, 10 * MINUTE);
    expect([right(AWAY), right(HOME)]).toEqual(['rate-limited', 'ok']);
    limits.wasAt('ada', AWAY); // a phone that is signed in there
    expect(right(AWAY)).toBe('ok');
    for (let i = 0; i < WRONG_PASSWORDS_BURST_OF_ADDRESS; i++) expect(wrong(HOME)).toBe('ok');
    expect(wrong(HOME)).toBe('rate-limited');
    clock.now += MINUTE;
    expect(wrong(HOME)).toBe('ok');
  });

  test('five addresses that guess all the time do not keep a user from signing in somewhere new', () => {
    const { right, attack } = setUp();
    for (let minute = 1; minute <= 10; minute++) {
      attack(5, minute * MINUTE);
      expect(right(AWAY)).toBe('ok');
    }
  });

  test('guesses where the user was lately leave those elsewhere alone', () => {
    const { limits, wrong, right } = setUp();
    for (let i = 0; i < RECENT_ADDRESSES; i++) limits.wasAt('ada', `10.0.0.${i}`);
    for (let i = 0; i < RECENT_ADDRESSES; i++)
      for (let j = 0; j < WRONG_PASSWORDS_BURST_OF_ADDRESS; j++) expect(wrong(`10.0.0.${i}`)).toBe('ok');
    expect(right(AWAY)).toBe('ok');
  });
});

describe('guesses of the current password', () => {
  test('a stolen phone has 20 a day, is told `forbidden`, and leaves the other devices alone', () => {
    const { clock, limits } = setUp();
    const guess = (device: string) => codeOf(() => limits.guessCurrent('ada', device));
    for (let i = 0; i < CURRENT_PASSWORDS_PER_DAY_AND_DEVICE; i++) expect(guess('stolen')).toBe('ok');
    for (let i = 0; i < 1_000; i++) expect(guess('stolen')).toBe('forbidden');
    expect(guess('own')).toBe('ok');
    clock.now += DAY;
    for (let i = 0; i < CURRENT_PASSWORDS_PER_DAY_AND_DEVICE; i++) expect(guess('stolen')).toBe('ok');
    expect(guess('stolen')).toBe('forbidden');
  });

  test('all devices of a user together have 100 a day; right ones are free', () => {
    const { limits } = setUp();
    for (let i = 0; i < CURRENT_PASSWORDS_PER_DAY; i++) limits.guessCurrent('ada', `device ${i}`);
    expect(codeOf(() => limits.guessCurrent('ada', 'another'))).toBe('forbidden');
    for (let i = 0; i < 1_000; i++) limits.guessCurrent('bo', 'device')();
  });

  test('guesses at the sign-in do not count there', () => {
    const { limits, attack } = setUp();
    attack(50, 10 * MINUTE);
    expect(codeOf(() => limits.guessCurrent('ada', 'own'))).toBe('ok');
  });
});

test('a password is changed ten times a day', () => {
  const { limits } = setUp();
  for (let i = 0; i < PASSWORD_CHANGES_PER_DAY; i++) limits.changePassword('ada');
  expect(codeOf(() => limits.changePassword('ada'))).toBe('forbidden');
  expect(codeOf(() => limits.changePassword('bo'))).toBe('ok');
});

describe('addresses where a user was lately', () => {
  test('the newest ones are kept, for 30 days', () => {
    const clock = { now: 0 };
    const recent = createRecentAddresses(() => clock.now);
    for (let i = 0; i <= RECENT_ADDRESSES; i++) {
      recent.add('ada', `10.0.0.${i}`);
      recent.add('ada', '10.0.0.0'); // used again each time
    }
    expect(recent.has('ada', '10.0.0.0')).toBe(true);
    expect(recent.has('ada', '10.0.0.1')).toBe(false);
    expect(recent.has('ada', `10.0.0.${RECENT_ADDRESSES}`)).toBe(true);
    expect(recent.has('bo', '10.0.0.0')).toBe(false);
    clock.now += RECENT_ADDRESS_LIFETIME_MS;
    expect(recent.has('ada', '10.0.0.0')).toBe(false);
  });

  test('a flood of new users forgets those who were not seen meanwhile, and no others', () => {
    const recent = createRecentAddresses(() => 0);
    recent.add('ada', HOME);
    recent.add('bo', HOME);
    for (let i = 0; i < RECENT_ADDRESS_USERS; i++) {
      recent.add(`attacker ${i}`, HOME);
      if (i % 1_000 === 999) recent.add('ada', HOME);
    }
    expect([recent.has('ada', HOME), recent.has('bo', HOME)]).toEqual([true, false]);
  });
});
