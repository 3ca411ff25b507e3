/** The whole of it: server processes, a database behind a network that fails, and people who go on talking. */
// @module-tag slow
import { expect, test } from 'vitest';
import { spend } from './chat/evening.ts';

test('L1 L2 L3 L4 L5 S2 what was acknowledged is there once, in order, for every member, through a bad evening', {
  timeout: 240_000,
}, async () => {
  const report = await spend({ seed: 1, servers: 3, people: 40, rooms: 6, stormMs: 20_000 });
  expect(report.violations, report.logs).toEqual([]);
  expect(report.acknowledged).toBeGreaterThan(200);
  expect(report.faults.size).toBeGreaterThan(5);
});
