/**
 * The process that checks a database file, started by integrity.ts: `node integrityChecker.ts FILE`. The check runs in a
 * thread, so that the process notices when the server has gone, and exits during the check.
 */
import { DatabaseSync } from 'node:sqlite';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { SQLITE, sqliteCode } from './faults.ts';
import type { FromChecker } from './integrity.ts';
import { lowerPriority } from './processes.ts';

/** Another process may be closing the database at this moment. */
const BUSY_TIMEOUT_MS = 10_000;

if (isMainThread) runThread(process.argv[2]!);
else parentPort!.postMessage(check(workerData as string));

function runThread(file: string): void {
  process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  lowerPriority();
  const worker = new Worker(new URL(import.meta.url), { workerData: file });
  const report = (message: FromChecker) => process.send!(message, () => process.exit());
  worker.once('message', report);
  worker.once('error', (error: Error) => report({ tag: 'failed', message: error.message }));
}

function check(file: string): FromChecker {
  try {
    using db = new DatabaseSync(file, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
    const [found] = Object.values(db.prepare('PRAGMA quick_check(1)').get()!);
    return { tag: 'found', found: found === 'ok' ? 'whole' : 'damaged' };
  } catch (error) {
    const code = sqliteCode(error);
    if (code === SQLITE.CORRUPT || code === SQLITE.NOTADB) return { tag: 'found', found: 'damaged' };
    return { tag: 'failed', message: error instanceof Error ? error.message : String(error) };
  }
}
