/** A database of nothing in a folder of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { openSqlite } from '../../../../server/store/sqlite/index.ts';
import type { Harness } from '../../../contract/support.ts';

export const silent = pino({ level: 'silent' });

export async function newFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'holdfast-'));
}

export async function sqliteHarness(): Promise<Harness> {
  const folder = await newFolder();
  const open = () => openSqlite({ file: join(folder, 'holdfast.db'), log: silent });
  let store = await open();
  return {
    get store() {
      return store;
    },
    async reopen() {
      await store.close();
      store = await open();
    },
    poisoned: (key) => ({ ...key, kind: 'text', body: 'x', digest: null as unknown as string }), // NOT NULL
    async destroy() {
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
}
