/** Opens and closes the file: ours alone, of our making, current in its schema, every commit synced. */
import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { newEpoch } from '../epoch.ts';
import { Unusable } from '../port.ts';
import { SQLITE, sqliteCode } from './faults.ts';
import { transactionOn } from './query.ts';
import { APPLICATION_ID, migrate, SCHEMA_VERSION } from './schema.ts';

/** How long a process that is going away may still hold the file. */
const BUSY_TIMEOUT_MS = 1_000;

/** Throws `Unusable` with one sentence that says what to do. */
export function openDatabase(path: string): DatabaseSync {
  const file = resolve(path);
  checkPlace(file);
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS });
    takeForOurselves(db);
    const version = versionOf(db, file);
    db.exec(PRAGMAS);
    checkPages(db, file);
    const made = { epoch: newEpoch(), at: Date.now() };
    const opened = db;
    if (version < SCHEMA_VERSION) transactionOn(db)(() => migrate(opened, version, made));
    return db;
  } catch (error) {
    db?.close();
    throw error instanceof Unusable ? error : unusable(file, error);
  }
}

/**
 * synchronous, fullfsync: a commit is on the disk, past the drive's own cache (which macOS flushes only where it is asked
 * to), before it is answered (L4). secure_delete: what is deleted is overwritten (docs/PROTOCOL.md: "in the store too").
 */
const PRAGMAS = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA fullfsync = ON;
  PRAGMA checkpoint_fullfsync = ON;
  PRAGMA secure_delete = ON;
  PRAGMA cache_size = -16000;
`;

/** Takes what the log of changes still holds into the file, so that no deleted text stays beside it. */
export function closeDatabase(db: DatabaseSync): void {
  try {
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  } catch {
    // a full or broken disk: every commit is in the log of changes, and the next opening reads it
  }
  db.close();
}

export function epochOf(db: DatabaseSync): string {
  return (db.prepare('SELECT epoch FROM meta').get() as { epoch: string }).epoch;
}

/**
 * By access(2) and not by opening: to close any descriptor of a file drops the locks that this process has on it
 * (fcntl). SQLite itself would open a file that is read-only without a word.
 */
export function checkPlace(file: string): void {
  const folder = dirname(file);
  try {
    makeFolder(folder);
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new Unusable(
      `The folder ${folder} cannot be written to (${reason(error)}): change its permissions, or set DATA to another one.`,
    );
  }
  if (!existsSync(file)) return;
  if (!statSync(file).isFile())
    throw new Unusable(`${file} is no file: move it away, or set DATA to another folder.`);
  try {
    accessSync(file, constants.R_OK | constants.W_OK);
  } catch (error) {
    throw new Unusable(
      `The database ${file} cannot be written to (${reason(error)}): change its permissions, or set DATA to another folder.`,
    );
  }
}

/** Not by `recursive`: where a parent takes no folders, as in /proc, that never returns (Node 24). */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  mkdirSync(folder);
}

/** In WAL with this mode no other process, and no second opening in this one, gets past its own first statement. */
function takeForOurselves(db: DatabaseSync): void {
  db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT');
}

/** 0 for a file that is empty. Nothing of another application's file has been changed when this throws. */
function versionOf(db: DatabaseSync, file: string): number {
  const number = (pragma: string) => Object.values(db.prepare(pragma).get()!)[0] as number;
  const version = number('PRAGMA user_version');
  const application = number('PRAGMA application_id');
  const isEmpty = number('SELECT count(*) FROM sqlite_schema') === 0;
  if (application !== APPLICATION_ID && !(application === 0 && version === 0 && isEmpty)) {
    throw new Unusable(
      `${file} is the database of another application: move it away, or set DATA to another folder.`,
    );
  }
  if (version > SCHEMA_VERSION) {
    throw new Unusable(
      `The database ${file} was written by a newer version of Holdfast: install that version or a later one.`,
    );
  }
  return version;
}

function checkPages(db: DatabaseSync, file: string): void {
  const [found] = Object.values(db.prepare('PRAGMA quick_check(1)').get()!);
  if (found !== 'ok') throw new Unusable(damaged(file));
}

function unusable(file: string, error: unknown): unknown {
  switch (sqliteCode(error)) {
    case SQLITE.BUSY:
      return new Unusable(
        `The database ${file} is in use by another process: stop that one, or set DATA to another folder.`,
      );
    case SQLITE.NOTADB:
      return new Unusable(`${file} is no database: move it away, or set DATA to another folder.`);
    case SQLITE.CORRUPT:
      return new Unusable(damaged(file));
    case SQLITE.FULL:
      return new Unusable(`There is no space left on the disk of ${file}: free some, then start again.`);
    case undefined:
      return error;
    default:
      return new Unusable(
        `The database ${file} cannot be opened (${reason(error)}): look at its folder and disk, or set DATA to another folder.`,
      );
  }
}

function damaged(file: string): string {
  return `The database ${file} is damaged: put a backup in its place, or move it away to begin with an empty one.`;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message.split(',')[0]! : String(error);
}
