/**
 * Preloaded into all threads of a measured server: counts SQLite's statements and transactions, in one file per thread in the
 * folder `COUNTS`. A transaction is a COMMIT, or a change outside of a transaction: both are made durable.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { threadId } from 'node:worker_threads';
import { COUNTS_WRITTEN_EVERY_MS } from './countsWritten.ts';

const READS_OR_UNDOES = /^\s*(?:SELECT|PRAGMA|ROLLBACK)/i;
const counts = { statements: 0, transactions: 0 };

const file = join(process.env.COUNTS!, `${process.pid}-${threadId}.json`);
setInterval(() => {
  writeFileSync(`${process.env.COUNTS}.${threadId}`, JSON.stringify(counts));
  renameSync(`${process.env.COUNTS}.${threadId}`, file); // readers see a complete file or none
}, COUNTS_WRITTEN_EVERY_MS).unref();

const { prepare, exec } = DatabaseSync.prototype;

DatabaseSync.prototype.prepare = function (sql, ...rest) {
  const statement = prepare.call(this, sql, ...rest);
  for (const name of ['run', 'get', 'all'] as const) {
    const method = statement[name].bind(statement) as (...args: unknown[]) => unknown;
    Object.assign(statement, { [name]: (...args: unknown[]) => counted(this, sql, () => method(...args)) });
  }
  return statement;
};

DatabaseSync.prototype.exec = function (sql) {
  return counted(this, sql, () => exec.call(this, sql));
};

function counted<T>(db: DatabaseSync, sql: string, work: () => T): T {
  const result = work();
  counts.statements++;
  if (!db.isTransaction && !READS_OR_UNDOES.test(sql)) counts.transactions++;
  return result;
}
