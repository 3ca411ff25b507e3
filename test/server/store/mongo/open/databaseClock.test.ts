import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { readClocks, watchClock } from '../../../../../server/store/mongo/open/databaseClock.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const HOUR_MS = 3_600_000;
const START = 1_700_000_000_000;

/** `takesMs`: of the database's answer; its clock is read in the middle. */
async function scene({ aheadMs, takesMs = 0 }: { aheadMs: number; takesMs?: number }) {
  /** `suspended`: for how long the machine was, which its monotonic clock does not count. */
  const state = { ahead: aheadMs, takes: takesMs, isAway: false, asked: 0, suspended: 0 };
  const log = { warn: vi.fn() };
  vi.setSystemTime(START);
  let extra = 0;
  const right = () => Date.now() + extra + state.suspended;
  const machine = () => right() + state.ahead;
  const ticks = () => performance.now() + extra;
  const command = async () => {
    state.asked++;
    if (state.isAway) throw new Error('away');
    const localTime = new Date(right() + state.takes / 2);
    extra += state.takes;
    return { localTime };
  };
  const first = await readClocks(command, { machine, ticks });
  const clock = watchClock({ first, db: { command }, pass: (work) => work(), log, machine, ticks });
  const wrongBy = () => clock.now() - right();
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

test('while the database is away since the first comparison, the time is right', async () => {
  const { state, wrongBy, pass } = await scene({ aheadMs: HOUR_MS });
  state.isAway = true;
  expect(wrongBy()).toBe(0);
  await pass(120_000);
  expect(wrongBy()).toBe(0);
});

test('small differences are left alone, and those that may be the time of the answer', async () => {
  for (const options of [{ aheadMs: 4_000 }, { aheadMs: -4_000 }, { aheadMs: 8_000, takesMs: 6_000 }]) {
    const { wrongBy, log } = await scene(options);
    expect(wrongBy()).toBe(options.aheadMs);
    expect(log.warn).not.toHaveBeenCalled();
  }
});

test('a correction stays where an answer comes too late to tell', async () => {
  const { state, wrongBy, pass } = await scene({ aheadMs: 8_000 });
  expect(wrongBy()).toBe(0);
  state.takes = 6_000;
  await pass(30_000);
  expect(wrongBy()).toBe(0);
});

test('it is compared again: a clock that is set right is used again, and one that drifts a little is not reported again', async () => {
  const { state, wrongBy, log, pass } = await scene({ aheadMs: HOUR_MS });
  state.ahead += 1_000;
  await pass(60_000);
  expect(wrongBy()).toBe(0);
  state.isAway = true;
  await pass(60_000);
  expect(wrongBy()).toBe(0);
  state.isAway = false;
  state.ahead = 4_000;
  await pass(60_000);
  expect(wrongBy()).toBe(4_000);
  expect(log.warn).toHaveBeenCalledTimes(2);
});

describe('a clock that is set is wrong at no time, and compared at once', () => {
  test.each([HOUR_MS, -HOUR_MS])('right, after it was %i ms ahead', async (aheadMs) => {
    const { state, wrongBy, log, pass } = await scene({ aheadMs });
    await pass(10_000);
    state.ahead = 0;
    expect(wrongBy()).toBe(0);
    await pass(0);
    expect(log.warn).toHaveBeenLastCalledWith({ seconds: 0 }, expect.stringContaining('right again'));
    expect(wrongBy()).toBe(0);
  });

  test.each([HOUR_MS, -HOUR_MS])('wrong, by %i ms', async (aheadMs) => {
    const { state, wrongBy, log, pass } = await scene({ aheadMs: 0 });
    await pass(10_000);
    state.ahead = aheadMs;
    expect(wrongBy()).toBe(0);
    await pass(0);
    expect(log.warn).toHaveBeenCalledExactlyOnceWith({ seconds: 3_600 }, expect.stringContaining('NTP'));
    expect(wrongBy()).toBe(0);
  });

  test('while the database is away it is asked once a second, and the time goes on', async () => {
    const { state, wrongBy, pass } = await scene({ aheadMs: HOUR_MS });
    await pass(10_000);
    state.ahead = 0;
    state.isAway = true;
    state.asked = 0;
    for (let n = 0; n < 100; n++) {
      expect(wrongBy()).toBe(0);
      await pass(50);
    }
    expect(state.asked).toBe(5);
  });
});

test('after the machine was suspended, with a clock that is right or corrected, the first reader makes it right', async () => {
  for (const aheadMs of [0, HOUR_MS]) {
    const { state, wrongBy, pass } = await scene({ aheadMs });
    await pass(10_000);
    state.suspended = 2 * HOUR_MS;
    wrongBy();
    await pass(0);
    expect(wrongBy()).toBe(0);
  }
});
