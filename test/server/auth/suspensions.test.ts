import { expect, test } from 'vitest';
import { createSuspensions } from '../../../server/auth/suspensions.ts';
import { SUSPENDED_CACHED_MS } from '../../../server/base/serverLimits.ts';

test('who is suspended elsewhere is refused within seconds, also where the wall clock is set back meanwhile', async () => {
  const clock = { now: 1_000_000, ticks: 0 };
  const suspended: string[] = [];
  const { isSuspended } = createSuspensions({
    store: { suspend: async () => {}, lift: async () => {}, suspended: async () => [...suspended] },
    now: () => clock.now,
    ticks: () => clock.ticks,
    disconnect: () => {},
    disconnectHere: () => {},
  });
  expect(await isSuspended('ada')).toBe(false);
  suspended.push('ada');
  clock.ticks += SUSPENDED_CACHED_MS + 1;
  clock.now += 1;
  expect(await isSuspended('ada')).toBe(true);
});
