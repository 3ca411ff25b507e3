import { describe, expect, test } from 'vitest';
import { addressKey } from '../../../server/limits/addressKey.ts';
import { takeTokens } from '../../../server/limits/bucket.ts';
import { createLimiter } from '../../../server/limits/limiter.ts';

const rate = { perSecond: 2, burst: 4 };

describe('takeTokens', () => {
  test('takes tokens, or says when there will be enough', () => {
    const taken = takeTokens({ level: 4, at: 0 }, 3, 0, rate);
    expect(taken).toEqual({ ok: true, state: { level: 1, at: 0 } });
    expect(takeTokens({ level: 1, at: 0 }, 2, 0, rate)).toEqual({ ok: false, retryAfter: 500 });
    expect(takeTokens({ level: 1, at: 0 }, 2, 500, rate)).toMatchObject({ ok: true });
  });

  test('refills up to the burst; a clock that jumps back takes nothing away', () => {
    expect(takeTokens({ level: 0, at: 0 }, 1, 3_600_000, rate)).toEqual({
      ok: true,
      state: { level: 3, at: 3_600_000 },
    });
    expect(takeTokens({ level: 1, at: 1_000 }, 1, 0, rate)).toMatchObject({ ok: true, state: { level: 0 } });
  });

  test('a cost above the burst takes a full bucket', () => {
    expect(takeTokens({ level: 4, at: 0 }, 9, 0, rate)).toMatchObject({ ok: true });
    expect(takeTokens({ level: 3, at: 0 }, 9, 0, rate)).toEqual({ ok: false, retryAfter: 500 });
  });
});

describe('a limiter', () => {
  test('counts each key separately, and gives back', () => {
    const limiter = createLimiter({ ...rate, now: () => 0 });
    expect([limiter.take('a', 4), limiter.take('a', 1), limiter.take('b', 4)]).toEqual([0, 500, 0]);
    limiter.giveBack('a', 1);
    expect([limiter.take('a', 1), limiter.take('a', 1)]).toEqual([0, 500]);
    limiter.giveBack('nobody', 100);
    expect(limiter.take('__proto__', 4)).toBe(0);
  });

  test('after the wait that it asks for, there are enough tokens', () => {
    let now = 0;
    const limiter = createLimiter({ perSecond: 10 / 60, burst: 10, now: () => now });
    for (let i = 0; i < 50; i++) {
      const wait = limiter.take('a', 1);
      if (wait === 0) continue;
      now += wait;
      expect(limiter.take('a', 1)).toBe(0);
    }
  });
});

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
])('the address %s is rate-limited as %s', (address, key) => expect(addressKey(address)).toBe(key));
