/** Several processes write to one contended room on a real database, under all faults. */
// @module-tag slow
import { describe, expect, test } from 'vitest';
import { contend } from './writers/contend.ts';

const STORM_MS = 20_000;

describe('L1 L2 L3 L4 L5 on one contended room under kills, cuts, stalls, fail points and step-downs', () => {
  test.each([2, 4])('%i processes', { timeout: 240_000 }, async (processes) => {
    const report = await contend({ seed: processes, processes, stormMs: STORM_MS });
    expect(report.violations, report.logs).toEqual([]);
    expect(report.entries).toBeGreaterThan(100);
    expect(report.faults.size).toBeGreaterThan(5);
  });
});
