/** The contract on every broken store, and on the correct one; run.ts chooses the cases. */
import { describe } from 'vitest';
import { sharedCases, sharedHistoryCases } from '../store.contract.ts';
import { brokenHarness, FAULTS, type Fault } from './faults.ts';

const NONE: Fault = { name: 'none', caughtBy: [], byHistories: true };
const HISTORIES = { runs: 60, withinMs: 30_000 };

for (const fault of [NONE, ...FAULTS]) {
  describe(fault.name, () => {
    sharedCases(() => brokenHarness(fault));
    if (fault.byHistories) sharedHistoryCases(() => brokenHarness(fault), HISTORIES);
  });
}
