import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createDeviceUse } from '../../../server/auth/deviceUse.ts';
import { createLogger } from '../../../server/base/logger.ts';
import {
  DEVICES_SEEN_AT_ONCE,
  DEVICES_SEEN_EVERY_MS,
  EXPIRED_AT_ONCE,
  EXPIRY_EVERY_MS,
} from '../../../server/base/serverLimits.ts';
import { Unavailable } from '../../../server/store/port.ts';
import { COOKIE_LIFETIME_S } from '../../../shared/limits.ts';

const DAY = 24 * 60 * 60 * 1_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function setUp(expirable = 0) {
  const calls: unknown[][] = [];
  let isAway = false;
  const use = createDeviceUse({
    store: {
      async devicesSeen(devices, at) {
        calls.push(['seen', [...devices], at]);
        if (isAway) throw new Unavailable('away');
      },
      async expireDevices(unusedSince, limit) {
        calls.push(['expire', unusedSince, limit]);
        const removed = Math.min(limit, expirable);
        expirable -= removed;
        return removed;
      },
    },
    now: Date.now,
    logger: createLogger('silent'),
  });
  return { use, calls, goAway: () => (isAway = true) };
}

test('uses of many devices are one write; a device that was seen within a day is none', async () => {
  const { use, calls } = setUp();
  const now = Date.now();
  for (const device of ['a', 'b', 'a']) use.seen(device, now - DAY);
  use.seen('c', now - DAY + 1);
  expect(calls).toEqual([]);
  await vi.advanceTimersByTimeAsync(DEVICES_SEEN_EVERY_MS);
  expect(calls).toEqual([['seen', ['a', 'b'], Date.now()]]);
});

test('a write is bounded, and one that fails harms nobody', async () => {
  const { use, calls, goAway } = setUp();
  for (let i = 0; i <= DEVICES_SEEN_AT_ONCE; i++) use.seen(`device ${i}`, 0);
  await vi.advanceTimersByTimeAsync(DEVICES_SEEN_EVERY_MS);
  expect(calls.map(([, devices]) => (devices as string[]).length)).toEqual([DEVICES_SEEN_AT_ONCE, 1]);
  goAway();
  use.seen('a', 0);
  await vi.advanceTimersByTimeAsync(DEVICES_SEEN_EVERY_MS);
  use.seen('a', 0);
  await vi.advanceTimersByTimeAsync(DEVICES_SEEN_EVERY_MS);
  expect(calls.slice(2)).toHaveLength(2);
});

test('a device expires 400 days after it was seen', () => {
  const { use } = setUp();
  expect(use.isExpired(Date.now() - COOKIE_LIFETIME_S * 1_000 + 1)).toBe(false);
  expect(use.isExpired(Date.now() - COOKIE_LIFETIME_S * 1_000)).toBe(true);
});

test('the sweep records the connected devices first, removes expired ones in slices, and begins some time after the start', async () => {
  const { use, calls } = setUp(2 * EXPIRED_AT_ONCE + 1);
  use.start(() => ['connected']);
  await vi.advanceTimersByTimeAsync(EXPIRY_EVERY_MS - 1);
  expect(calls).toEqual([]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(calls.map(([call]) => call)).toEqual(['seen', 'expire', 'expire', 'expire']);
  expect(calls[0]![1]).toEqual(['connected']);
  const [, unusedSince, limit] = calls[1]!;
  expect(Date.now() - (unusedSince as number)).toBeGreaterThanOrEqual(COOKIE_LIFETIME_S * 1_000);
  expect(limit).toBe(EXPIRED_AT_ONCE);
  await vi.advanceTimersByTimeAsync(EXPIRY_EVERY_MS);
  expect(calls).toHaveLength(6);
  use.stop();
  await vi.advanceTimersByTimeAsync(2 * EXPIRY_EVERY_MS);
  expect(calls).toHaveLength(6);
});
