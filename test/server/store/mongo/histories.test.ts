import { describe } from 'vitest';
import { histories } from '../../../contract/histories/cases.ts';
import { sharedHistoryCases } from '../../../contract/store.contract.ts';
import { runsOf } from '../../../support/runs.ts';
import { mongoHarness, mongoOfFile } from './harness.ts';

/** In a file of its own, so that it runs in parallel with the other cases. */
describe('random histories of three stores, on MongoDB', () => {
  const mongo = mongoOfFile({ toBreak: true });
  sharedHistoryCases(() => mongoHarness(mongo.server), histories(runsOf('histories on MongoDB')));
});
