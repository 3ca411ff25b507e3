/** Stores that are broken on purpose, one way each, and the cases of the contract that must notice. */
import type { Store } from '../../../server/store/port.ts';
import { MemoryData } from '../memory/data.ts';
import { harnessOn, memoryHarness } from '../memory/harness.ts';
import type { SharedHarness } from '../support.ts';
import { appendFaults } from './inAppend.ts';
import { dataFaults } from './inData.ts';
import { kindFaults } from './inKinds.ts';
import { readFaults } from './inReads.ts';
import { roomFaults } from './inRooms.ts';
import { tailFaults } from './inTail.ts';
import { userFaults } from './inUsers.ts';

export interface Fault {
  name: string;
  /** Another kind of data, where the mistake is there. */
  data?: () => MemoryData;
  /** Around the nth store that is opened on the data, where the mistake is there. */
  around?: (store: Store, nth: number, data: MemoryData) => Store;
  /** Titles, or beginnings of titles, of cases that must fail. */
  caughtBy: string[];
  /** Random histories must find it, too, and show it in a few steps: for those that take no long search. */
  byHistories?: true;
}

export const FAULTS: readonly Fault[] = [
  ...appendFaults,
  ...dataFaults,
  ...readFaults,
  ...tailFaults,
  ...roomFaults,
  ...userFaults,
  ...kindFaults,
];

export async function brokenHarness({ data, around }: Fault): Promise<SharedHarness> {
  if (!data && !around) return memoryHarness();
  const made = data?.() ?? new MemoryData();
  return harnessOn(made, (store, nth) => around?.(store, nth, made) ?? store);
}
