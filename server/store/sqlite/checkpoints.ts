/**
 * Takes the log of changes (`-wal`) into the file from time to time. SQLite does it by itself within a COMMIT, but only as
 * far as no reader needs the older pages, and begins the log of changes anew only when a commit meets no reader in it: with
 * readers that never rest it would grow for long. Here it is done between two calls, after the answer has left; once the
 * log of changes is long, it is waited for the reads that are under way.
 *
 * A read that takes long (a backup, a check of the whole file) makes it grow while it lasts: attempts become rarer then.
 */
import type { DatabaseSync } from 'node:sqlite';
import { BUSY_TIMEOUT_MS } from './database.ts';
import { query } from './query.ts';

/** Frames are pages of 4 KiB. From here on it is tried, as SQLite itself would. */
const TRY_FROM_FRAMES = 1_000;
/** From here on it is waited for. */
const WAIT_FROM_FRAMES = 3_000;
const WAIT_MS = 50;
/** After an attempt, by how much it grows until the next one. */
const GROWTH = 1.25;

/** To be called after each commit. Throws SQLite's error where the disk fails. */
export function checkpointsOn(db: DatabaseSync): () => void {
  db.exec('PRAGMA wal_autocheckpoint = 0');
  const length = query<{ log: number }>(db, 'PRAGMA wal_checkpoint(NOOP)');
  let before = 0;
  let tryAt = TRY_FROM_FRAMES;

  return () => {
    const { log } = length.get()!;
    if (log < before) tryAt = TRY_FROM_FRAMES; // it was begun anew
    before = log;
    if (log < tryAt) return;
    tryAt = Math.ceil(log * GROWTH);
    if (log < WAIT_FROM_FRAMES) db.exec('PRAGMA wal_checkpoint(PASSIVE)');
    else waiting(() => db.exec('PRAGMA wal_checkpoint(RESTART)'));
  };

  function waiting(work: () => void): void {
    db.exec(`PRAGMA busy_timeout = ${WAIT_MS}`);
    try {
      work();
    } finally {
      db.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    }
  }
}
