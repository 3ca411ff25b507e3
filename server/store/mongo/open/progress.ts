/** Long work of the database, such as the build of an index: says in the log how far it is. */
import type { Db, Document } from 'mongodb';
import type { Logger } from 'pino';

interface Work {
  db: Db;
  /** For the log. */
  what: string;
  log: Pick<Logger, 'warn'>;
  everyMs: number;
}

/** Resolves or rejects as `work` does. */
export async function sayProgress<T>({ db, what, log, everyMs }: Work, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const timer = setInterval(async () => {
    const done = await progressOf(db);
    const seconds = Math.round((performance.now() - start) / 1_000);
    log.warn({ what, seconds, ...(done !== undefined && { done }) }, 'the database is still at work');
  }, everyMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

/** Such as "41 %"; undefined where the server does not say, or the user of the URL may not see it (role clusterMonitor). */
async function progressOf(db: Db): Promise<string | undefined> {
  try {
    const operations = await db.client
      .db('admin')
      .aggregate([{ $currentOp: { allUsers: true } }, { $match: { 'progress.total': { $gt: 0 } } }])
      .toArray();
    return percentOf(operations, db.databaseName);
  } catch {
    return undefined;
  }
}

/** The operation that is the least far, of those in this database. */
function percentOf(operations: readonly Document[], database: string): string | undefined {
  const ours = operations.filter(({ ns }) => `${ns}`.startsWith(`${database}.`));
  const parts = ours.map(({ progress: { done, total } }) => Number(done) / Number(total));
  return parts.length === 0 ? undefined : `${Math.floor(100 * Math.min(...parts))} %`;
}
