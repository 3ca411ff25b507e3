/**
 * The lock that one process holds on a database: an exclusive transaction on an empty SQLite file beside it. The kernel
 * releases it when the process dies. It lets other connections read the database, and keeps out every other server and
 * `npm run restore`. It lasts while the threads that have the database open die and start again.
 *
 * The lock file is never removed: a process that waits for it would then hold a file that nobody else finds by its name.
 * Nothing opens it or the database by `fs` while they are in use, since closing such a handle drops the locks (fcntl).
 */
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { SQLITE, sqliteCode } from './faults.ts';

export interface Lock {
  release(): void;
}

/** How long a process that is going away may still hold it, and how often that is looked at. */
const WAIT_MS = 2_000;
const EVERY_MS = 25;

/**
 * Resolves with undefined where another process holds the lock, or another store of this process. Rejects with SQLite's
 * error where the lock file cannot be used. The folder must exist.
 */
export async function takeLock(file: string): Promise<Lock | undefined> {
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

function tryLock(path: string): Lock | undefined {
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    db.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE'); // no journal beside it: nothing is ever written
    return { release: () => db.close() };
  } catch (error) {
    db.close();
    if (sqliteCode(error) === SQLITE.BUSY) return undefined;
    throw error;
  }
}
