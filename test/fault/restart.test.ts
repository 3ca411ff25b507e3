/** A restart under load, with few clients. With thousands, and measured: `node test/bench/restart/main.ts`. */
// @module-tag slow
import { expect, test } from 'vitest';
import { BYE_RETRY_AFTER_MS, BYE_SPREAD_MS } from '../../server/base/serverLimits.ts';
import { measureRestart } from '../bench/restart/restart.ts';

const CLIENTS = 100;

test('L1 L2 L3 S2 a rolling restart of two workers: all come back after the time of their `bye`, and nothing is lost or doubled', {
  timeout: 120_000,
}, async () => {
  const report = await measureRestart({ how: 'roll', clients: CLIENTS, writers: 3, backWithinMs: 60_000 });
  expect(report.violations).toEqual([]);
  const told = report.absences.map((absence) => absence.told);
  expect(told.filter((ms) => ms === undefined)).toEqual([]);
  expect(Math.min(...told.map(Number))).toBeGreaterThanOrEqual(BYE_RETRY_AFTER_MS);
  // spread, so that they do not come at once
  expect(new Set(told).size).toBeGreaterThan((CLIENTS * BYE_SPREAD_MS) / 10);
  for (const { lostAt, triedAt, told: ms } of report.absences)
    expect(triedAt - lostAt).toBeGreaterThan(ms! - 50);
});
