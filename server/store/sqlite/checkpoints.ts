/**
 * Checkpoints the WAL file from time to time. SQLite would do it within a COMMIT, but only as far as no reader needs older
 * pages, and restarts the WAL only when a commit finds no reader in it: with constant reads it would grow for long. Here a
 * checkpoint runs between two calls, after the answer was posted; once the WAL is long, it waits for the current reads.
 *
 * During a long read (a backup, an integrity check) the WAL grows all the same: attempts then become rarer.
 */
import type { DatabaseSync } from 'node:sqlite';
import { BUSY_TIMEOUT_MS } from './connections.ts';
import { query } from './rows.ts';

/** A frame is a page of 4 KiB. From this length on checkpoints are tried, as SQLite itself would. */
const TRY_FROM_FRAMES = 1_000;
/** From this length on a checkpoint waits for readers, up to WAIT_MS. */
const WAIT_FROM_FRAMES = 3_000;
const WAIT_MS = 50;
/** Growth of the WAL between two attempts. */
const GROWTH = 1.25;

/** Returns the function to call after each commit. That throws the error of SQLite where the disk fails. */
export function checkpointsOn(db: DatabaseSync): () => void {
  db.exec('PRAGMA wal_autocheckpoint = 0');
  const length = query<{ log: number }>(db, 'PRAGMA wal_checkpoint(NOOP)');
  let before = 0;
  let tryAt = TRY_FROM_FRAMES;

  return () => {
    const { log } = length.get()!;
    if (log < before) tryAt = TRY_FROM_FRAMES; // the WAL has restarted
    before = log;
    if (log < tryAt) return;
    tryAt = Math.ceil(log * GROWTH);
    if (log < WAIT_FROM_FRAMES) db.exec('PRAGMA wal_checkpoint(PASSIVE)');
    else withTimeout(() => db.exec('PRAGMA wal_checkpoint(RESTART)'));
  };

  function withTimeout(work: () => void): void {
    db.exec(`PRAGMA busy_timeout = ${WAIT_MS}`);
    try {
      work();
    } finally {
      db.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    }
  }
}
