import { describe, expect, test } from 'vitest';
import { addressKey } from '../../../server/limits/addressKey.ts';
import { take } from '../../../server/limits/bucket.ts';
import { createGate } from '../../../server/limits/gate.ts';
import { createLimiter } from '../../../server/limits/limiter.ts';

const rate = { perSecond: 2, burst: 4 };

describe('take', () => {
  test('takes out of what there is and says when there will be enough', () => {
    const taken = take({ level: 4, at: 0 }, 3, 0, rate);
    expect(taken).toEqual({ ok: true, state: { level: 1, at: 0 } });
    expect(take({ level: 1, at: 0 }, 2, 0, rate)).toEqual({ ok: false, retryAfter: 500 });
    expect(take({ level: 1, at: 0 }, 2, 500, rate)).toMatchObject({ ok: true });
  });

  test('fills to the burst and no further; a clock that jumps back takes nothing away', () => {
    expect(take({ level: 0, at: 0 }, 1, 3_600_000, rate)).toEqual({
      ok: true,
      state: { level: 3, at: 3_600_000 },
    });
    expect(take({ level: 1, at: 1_000 }, 1, 0, rate)).toMatchObject({ ok: true, state: { level: 0 } });
  });

  test('a cost beyond the burst is had from a full bucket', () => {
    expect(take({ level: 4, at: 0 }, 9, 0, rate)).toMatchObject({ ok: true });
    expect(take({ level: 3, at: 0 }, 9, 0, rate)).toEqual({ ok: false, retryAfter: 500 });
  });
});

describe('a limiter', () => {
  test('counts each key by itself and gives back', () => {
    const limiter = createLimiter({ ...rate, now: () => 0 });
    expect([limiter.take('a', 4), limiter.take('a', 1), limiter.take('b', 4)]).toEqual([0, 500, 0]);
    limiter.giveBack('a', 1);
    expect([limiter.take('a', 1), limiter.take('a', 1)]).toEqual([0, 500]);
    limiter.giveBack('nobody', 100);
    expect(limiter.take('__proto__', 4)).toBe(0);
  });

  test('waiting as long as it says is long enough', () => {
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

test('a gate lets so many through at once, in order, and refuses when too many wait', async () => {
  const gate = createGate(2, 1);
  const done: string[] = [];
  const ends: (() => void)[] = [];
  const work = (name: string) => () =>
    new Promise<void>((resolve) => {
      done.push(name);
      ends.push(resolve);
    });
  const [a, b, c] = [gate(work('a')), gate(work('b')), gate(work('c'))];
  await expect(gate(work('d'))).rejects.toMatchObject({ code: 'unavailable' });
  expect(done).toEqual(['a', 'b']);
  ends[0]!();
  await a;
  expect(done).toEqual(['a', 'b', 'c']);
  await expect(
    Promise.all([gate(async () => Promise.reject(new Error('mine'))), ends[1]!()]),
  ).rejects.toThrow('mine');
  ends[2]!();
  await Promise.all([b, c]);
  expect(await gate(async () => 'free again')).toBe('free again');
});

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
])('%s is counted as %s', (address, key) => expect(addressKey(address)).toBe(key));
