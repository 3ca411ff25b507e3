/** A stand's database on SQLite: a file in a temporary folder. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLogger } from '../../../server/base/logger.ts';
import { openSqlite } from '../../../server/store/sqlite/index.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import type { CountedDatabase, Database, Operations } from './database.ts';
import { COUNTS_WRITTEN_EVERY_MS } from './preload/countsWritten.ts';

export async function openSqliteDatabase(): Promise<Database> {
  const folder = await temporaryFolder();
  const openStore = () => openSqlite({ file: join(folder.path, 'holdfast.db'), log: createLogger('warn') });
  return {
    env: { DATA: folder.path },
    nodeOptions: [],
    pids: [],
    async fill(work) {
      const store = await openStore();
      try {
        return await work(store);
      } finally {
        await store.close();
      }
    },
    openStore,
    [Symbol.asyncDispose]: folder.remove,
  };
}

/** Counted inside the server, since SQLite is a library and has no connection to observe. */
export async function openCountedSqlite(): Promise<CountedDatabase> {
  const database = await openSqliteDatabase();
  const counts = await temporaryFolder();
  return {
    ...database,
    env: { ...database.env, COUNTS: counts.path },
    nodeOptions: ['--import', new URL('./preload/countSqlite.ts', import.meta.url).href],
    operations: () => read(counts.path),
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]();
      await counts.remove();
    },
  };
}

/** An operation is a transaction, which writes to the disk; a single statement is only a function call. */
async function read(folder: string): Promise<Operations> {
  await sleep(2 * COUNTS_WRITTEN_EVERY_MS);
  const total = { all: 0, statements: 0 };
  for (const name of await readdir(folder)) {
    const { statements, transactions } = JSON.parse(await readFile(join(folder, name), 'utf8'));
    total.all += transactions;
    total.statements += statements;
  }
  return total;
}
