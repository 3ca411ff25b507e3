import { describe } from 'vitest';
import { sharedCases } from '../../../contract/store.contract.ts';
import { mongoHarness, mongoOfFile } from './harness.ts';

describe('the store contract, on MongoDB', () => {
  const mongo = mongoOfFile({ toBreak: true });
  sharedCases(() => mongoHarness(mongo.server));
});
