/**
 * The process that checks a database (check.ts): `node checker.ts FILE`. The check runs in a thread, so that this process
 * notices when the server is gone, and ends in the middle of the check.
 */
import { DatabaseSync } from 'node:sqlite';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type { FromChecker } from './check.ts';
import { SQLITE, sqliteCode } from './faults.ts';
import { yieldToOthers } from './priority.ts';

/** Another process may be closing the database at this moment. */
const BUSY_TIMEOUT_MS = 10_000;

if (isMainThread) checkFor(process.argv[2]!);
else parentPort!.postMessage(check(workerData as string));

function checkFor(file: string): void {
  process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  yieldToOthers();
  const worker = new Worker(new URL(import.meta.url), { workerData: file });
  const say = (message: FromChecker) => process.send!(message, () => process.exit());
  worker.once('message', say);
  worker.once('error', (error: Error) => say({ tag: 'failed', message: error.message }));
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
