/** The number of random runs follows TEST_LENGTH and TEST_RUNS. */
import { existsSync } from 'node:fs';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RUNS, runsOf, seedsOf, testLength } from './runs.ts';
import { ROOT } from './tools.ts';

beforeEach(() => {
  vi.stubEnv('TEST_LENGTH', undefined);
  vi.stubEnv('TEST_RUNS', undefined);
});
afterEach(() => vi.unstubAllEnvs());

test.each(Object.entries(RUNS))(
  '%s: the file is there, and more is run where there is more time',
  (_, runs) => {
    expect(existsSync(`${ROOT}/test/${runs.file}.test.ts`)).toBe(true);
    expect(runs.quick).toBeGreaterThan(0);
    expect(runs.full).toBeGreaterThanOrEqual(runs.quick);
    expect(runs.soak).toBeGreaterThanOrEqual(runs.full);
  },
);

test.each([
  [undefined, 'full'],
  ['quick', 'quick'],
  ['soak', 'soak'],
] as const)('TEST_LENGTH=%s makes the runs of %s', (asked, length) => {
  vi.stubEnv('TEST_LENGTH', asked);
  expect(testLength()).toBe(length);
  expect(runsOf('whole clients')).toBe(RUNS['whole clients'][length]);
});

test('TEST_RUNS is the number of runs', () => {
  vi.stubEnv('TEST_RUNS', '3');
  expect(runsOf('whole clients')).toBe(3);
  expect(seedsOf('whole clients')).toEqual([1, 2, 3]);
});

test.each(['', '0', '-1', '1.5', 'many'])('TEST_RUNS=%s is refused', (asked) => {
  vi.stubEnv('TEST_RUNS', asked);
  expect(() => runsOf('whole clients')).toThrow(`TEST_RUNS is ${asked}:`);
});

test('an unknown TEST_LENGTH is refused', () => {
  vi.stubEnv('TEST_LENGTH', 'long');
  expect(testLength).toThrow('TEST_LENGTH is long:');
});
