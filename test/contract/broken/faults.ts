/** Stores with one deliberate fault each, and the cases of the contract that must fail for it. */
import type { Store } from '../../../server/store/port.ts';
import { MemoryData } from '../memory/data.ts';
import { harnessOn, memoryHarness } from '../memory/harness.ts';
import type { SharedHarness } from '../support.ts';
import { aboutRoomFaults } from './inAboutRooms.ts';
import { appendFaults } from './inAppend.ts';
import { creationFaults } from './inCreation.ts';
import { dataFaults } from './inData.ts';
import { kindFaults } from './inKinds.ts';
import { readFaults } from './inReads.ts';
import { roleFaults } from './inRoles.ts';
import { roomFaults } from './inRooms.ts';
import { tailFaults } from './inTail.ts';
import { userFaults } from './inUsers.ts';

export interface Fault {
  name: string;
  /** Replaces the in-memory data, where the fault is in the data. */
  data?: () => MemoryData;
  /** Wraps the nth store that is opened on the data, where the fault is in the store. */
  around?: (store: Store, nth: number, data: MemoryData) => Store;
  /** Titles of cases that must fail, or parts of them. Only these run with this fault, so every case has to be named by one. */
  caughtBy: string[];
  /** Random histories must find it too, in a few steps. Only for faults that need no long search. */
  byHistories?: true;
}

export const FAULTS: readonly Fault[] = [
  ...appendFaults,
  ...dataFaults,
  ...readFaults,
  ...tailFaults,
  ...roomFaults,
  ...creationFaults,
  ...roleFaults,
  ...aboutRoomFaults,
  ...userFaults,
  ...kindFaults,
];

export async function brokenHarness({ data, around }: Fault): Promise<SharedHarness> {
  if (!data && !around) return memoryHarness();
  const made = data?.() ?? new MemoryData();
  return harnessOn(made, (store, nth) => around?.(store, nth, made) ?? store);
}
