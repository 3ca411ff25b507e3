/** The contract on a database in memory: shows that the contract can be met, and is the base of the broken stores (broken/). */
import type { Store } from '../../../server/store/port.ts';
import { seeded } from '../../support/random.ts';
import type { SharedHarness } from '../support.ts';
import { MemoryData } from './data.ts';
import { openMemory } from './store.ts';

const SEED = 5;

export async function memoryHarness(): Promise<SharedHarness> {
  return harnessOn(new MemoryData(), (store) => store);
}

/** `around` wraps every store that is opened; `nth` counts them. */
export function harnessOn(data: MemoryData, around: (store: Store, nth: number) => Store): SharedHarness {
  const random = seeded(SEED);
  const all: Store[] = [];
  const open = () => {
    const store = around(openMemory(data, random), all.length);
    all.push(store);
    return store;
  };
  let store = open();
  return {
    get store() {
      return store;
    },
    async reopen() {
      await store.close();
      store = open();
    },
    another: async () => open(),
    poisoned: (key) => ({ ...key, kind: 'text', digest: 'of a text without a body' }),
    async interrupted(entry, at) {
      const row = data.insert(entry, at);
      if ('tag' in row) throw new Error(`not appended: ${JSON.stringify(row)}`);
      return row.serverOffset;
    },
    unfinished: async (room) => data.rowsOf(room).filter((row) => row.isUnfinished).length,
    stored: async (room) => JSON.stringify(data.rowsOf(room)),
    async forgetHistory() {
      data.forgotten = data.rows.length + 1;
    },
    async destroy() {
      await Promise.all(all.map((one) => one.close()));
    },
  };
}
