/** One database with three stores on it, like three processes. */
import { afterAll, beforeAll } from 'vitest';
import type { Store } from '../../../server/store/port.ts';
import type { SharedHarness } from '../support.ts';

export type ThreeStores = readonly [Store, Store, Store];

export function inSharedDatabase(open: () => Promise<SharedHarness>): {
  readonly store: Store;
  /** The first one is `store`, and changes with `reopen`. */
  readonly stores: ThreeStores;
  readonly harness: SharedHarness;
} {
  let harness: SharedHarness;
  let others: [Store, Store];
  beforeAll(async () => {
    harness = await open();
    others = [await harness.another(), await harness.another()];
  });
  afterAll(() => harness.destroy());
  return {
    get store() {
      return harness.store;
    },
    get stores(): ThreeStores {
      return [harness.store, ...others];
    },
    get harness() {
      return harness;
    },
  };
}
