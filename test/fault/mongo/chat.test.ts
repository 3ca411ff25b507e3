/**
 * The whole system: server processes behind HAProxy, a database behind a failing network, and users who keep chatting. For
 * longer, with longer bad days and all faults: `npm run soak`.
 */
// @module-tag slow
import { expect, test } from 'vitest';
import { HAS_PROXIES } from '../../support/setup/proxies.ts';
import { spend } from './chat/evening.ts';

const PARTS = { seed: 1, servers: 3, people: 40, rooms: 8 };

test('L1 L2 L3 L4 L5 S2 every acknowledged entry is there once, in order, for every member, whatever happens to servers and database', {
  timeout: 240_000,
}, async () => {
  const evening = HAS_PROXIES ? { stormMs: 0, badDayMs: 4_000 } : { stormMs: 20_000 };
  const report = await spend({ ...PARTS, ...evening });
  // what a report of failures keeps is the beginning of a message
  expect(report.violations, `${report.violations.join('\n')}\n\n${report.logs}`).toEqual([]);
  expect(report.acknowledged).toBeGreaterThan(200);
  expect(report.faults.size).toBeGreaterThan(5);
});
