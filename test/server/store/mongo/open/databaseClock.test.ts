import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watchClock } from '../../../../../server/store/mongo/open/databaseClock.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const HOUR_MS = 3_600_000;
const START = 1_700_000_000_000;

/** `takesMs`: of the database's answer; its clock is read in the middle. */
async function scene({ aheadMs, takesMs = 0 }: { aheadMs: number; takesMs?: number }) {
  const state = { ahead: aheadMs, takes: takesMs, isAway: false };
  const log = { warn: vi.fn() };
  vi.setSystemTime(START);
  let extra = 0;
  const machine = () => Date.now() + extra + state.ahead;
  const command = async () => {
    if (state.isAway) throw new Error('away');
    const localTime = new Date(Date.now() + extra + state.takes / 2);
    extra += state.takes;
    return { localTime };
  };
  const clock = await watchClock({ db: { command }, pass: (work) => work(), log, machine });
  const wrongBy = () => clock.now() - (Date.now() + extra);
  return { state, log, wrongBy, pass: (ms: number) => vi.advanceTimersByTimeAsync(ms) };
}

test.each([HOUR_MS, -HOUR_MS])(
  'a clock that is %i ms ahead is corrected by that of the database, and the log says so',
  async (aheadMs) => {
    const { wrongBy, log } = await scene({ aheadMs });
    expect(wrongBy()).toBe(0);
    expect(log.warn).toHaveBeenCalledExactlyOnceWith({ seconds: 3_600 }, expect.stringContaining('NTP'));
  },
);

test('small differences are left alone, and those that may be the time of the answer', async () => {
  for (const options of [{ aheadMs: 4_000 }, { aheadMs: -4_000 }, { aheadMs: 8_000, takesMs: 6_000 }]) {
    const { wrongBy, log } = await scene(options);
    expect(wrongBy()).toBe(options.aheadMs);
    expect(log.warn).not.toHaveBeenCalled();
  }
});

test('it is compared again: a clock that is set right is used again, and one that drifts a little is not reported again', async () => {
  const { state, wrongBy, log, pass } = await scene({ aheadMs: HOUR_MS });
  state.ahead += 1_000;
  await pass(60_000);
  expect(wrongBy()).toBe(1_000);
  state.isAway = true;
  await pass(60_000);
  expect(wrongBy()).toBe(1_000);
  state.isAway = false;
  state.ahead = 0;
  await pass(60_000);
  expect(wrongBy()).toBe(0);
  expect(log.warn).toHaveBeenCalledTimes(2);
});
