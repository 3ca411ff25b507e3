/**
 * The lock of one process on a database: an exclusive transaction on an empty SQLite file next to it. The kernel releases it
 * when the process dies. Other connections can still read the database, but no other server and no `npm run restore` can
 * use it. The lock is held also while a database thread dies and restarts.
 *
 * The lock file is never removed: a process that waits for it would then lock a file that no longer has a name. No code opens
 * it or the database with `fs` while they are in use, because closing such a handle drops the locks (fcntl).
 */
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { SQLITE, sqliteCode } from './faults.ts';

export interface ProcessLock {
  release(): void;
}

/** How long to wait for a process that is stopping, and the interval between attempts. */
const WAIT_MS = 2_000;
const EVERY_MS = 25;

/**
 * Resolves with undefined where another process, or another store of this process, holds the lock. Rejects with the error of
 * SQLite where the lock file cannot be used. The folder must exist.
 */
export async function takeLock(file: string): Promise<ProcessLock | undefined> {
  const until = performance.now() + WAIT_MS;
  for (;;) {
    const lock = tryLock(lockFileOf(file));
    if (lock || performance.now() >= until) return lock;
    await delay(EVERY_MS);
  }
}

export function lockFileOf(file: string): string {
  return `${file}.lock`;
}

function tryLock(path: string): ProcessLock | undefined {
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    db.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE'); // no journal file, because nothing is ever written
    return { release: () => db.close() };
  } catch (error) {
    db.close();
    if (sqliteCode(error) === SQLITE.BUSY) return undefined;
    throw error;
  }
}
