/** The whole system: server processes, a database behind a failing network, and users who keep chatting. */
// @module-tag slow
import { expect, test } from 'vitest';
import { spend } from './chat/evening.ts';

test('L1 L2 L3 L4 L5 S2 every acknowledged entry is there once, in order, for every member, under random faults', {
  timeout: 240_000,
}, async () => {
  const report = await spend({ seed: 1, servers: 3, people: 40, rooms: 6, stormMs: 20_000 });
  // what a report of failures keeps is the beginning of a message
  expect(report.violations, `${report.violations.join('\n')}\n\n${report.logs}`).toEqual([]);
  expect(report.acknowledged).toBeGreaterThan(200);
  expect(report.faults.size).toBeGreaterThan(5);
});
