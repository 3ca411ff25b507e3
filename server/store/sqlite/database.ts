/**
 * Opens and closes the database: of our making, current in its schema, every commit synced. One connection writes and
 * one reads, in WAL mode with normal locking (https://sqlite.org/wal.html), so that reads run beside the writer. Which
 * process may open it at all is lock.ts's to decide.
 *
 * Why nothing is visible before it is durable (L2). A commit writes its frames to the log of changes (`-wal`), syncs it
 * (`synchronous = FULL`), and only then publishes the new end of the log in the shared index, which is all that other
 * connections go by (walFrames in SQLite's wal.c: sqlite3OsSync, then walIndexAppend and walIndexWriteHdr). COMMIT returns
 * after that, so a read that begins after an acknowledgement sees what was acknowledged. One case is left: what a killed
 * process wrote and had not synced yet is in the log of changes, and recovery takes it in. So an opening after a crash
 * commits once before anybody reads (a page that is written as it was), which syncs the whole log of changes.
 *
 * Why an older version and this one never write at once. A version that opens the file in exclusive mode asks for an
 * exclusive lock on it; every connection in WAL mode keeps a shared lock on it for as long as it is open.
 */
import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { newEpoch } from '../epoch.ts';
import { Unusable } from '../port.ts';
import { SQLITE, sqliteCode } from './faults.ts';
import { transactionOn } from './query.ts';
import { APPLICATION_ID, migrate, SCHEMA_VERSION } from './schema.ts';

/** How long another connection may hold what this one needs, such as a server of an older version that is going away. */
export const BUSY_TIMEOUT_MS = 1_000;

/** A file up to this size is checked as a whole before it is used: on a slow SD card that takes half a second. */
const CHECKED_AT_ONCE_BYTES = 4 * 1024 * 1024;

export interface Opened {
  db: DatabaseSync;
  /** False where the pages of the file are still to be checked (check.ts). */
  isChecked: boolean;
}

/**
 * The connection that writes. `isKnownWhole`: the file was whole when it was last closed, and was closed in order.
 * Throws `Unusable` with one sentence that says what to do.
 */
export function openDatabase(path: string, { isKnownWhole = false } = {}): Opened {
  const file = resolve(path);
  checkPlace(file);
  return opening(file, {}, (db) => {
    const version = versionOf(db, file);
    db.exec(PRAGMAS);
    const isChecked = isKnownWhole || isWhole(db, file);
    const made = { epoch: newEpoch(), at: Date.now() };
    if (version < SCHEMA_VERSION) transactionOn(db)(() => migrate(db, version, made));
    else if (!isKnownWhole) db.exec(`PRAGMA user_version = ${version}`); // L2: see above
    return { db, isChecked };
  });
}

/** A connection that only reads. The writer's must be open. Throws `Unusable`. */
export function openReader(file: string): DatabaseSync {
  return opening(file, { readOnly: true }, (db) => {
    db.exec(CACHE);
    versionOf(db, file);
    return db;
  });
}

function opening<T>(file: string, options: { readOnly?: boolean }, work: (db: DatabaseSync) => T): T {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file, { ...options, timeout: BUSY_TIMEOUT_MS });
    return work(db);
  } catch (error) {
    db?.close();
    throw unusable(file, error);
  }
}

const CACHE = 'PRAGMA cache_size = -16000;';

/**
 * synchronous, fullfsync: a commit is on the disk, past the drive's own cache (which macOS flushes only where it is asked
 * to), before it is answered (L4). secure_delete: what is deleted is overwritten (docs/PROTOCOL.md: "in the store too").
 * journal_size_limit, in bytes: a log of changes that grew while a backup read is cut when it begins anew.
 */
const PRAGMAS = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA fullfsync = ON;
  PRAGMA checkpoint_fullfsync = ON;
  PRAGMA secure_delete = ON;
  PRAGMA journal_size_limit = 16777216;
  ${CACHE}
`;

/**
 * Takes what the log of changes still holds into the file, so that no deleted text stays beside it. The reader must be
 * closed. False where that did not go: every commit is in the log of changes then, and the next opening reads it.
 */
export function closeDatabase(db: DatabaseSync): boolean {
  try {
    const { busy } = db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() as { busy: number };
    return busy === 0;
  } catch {
    return false; // a full or broken disk
  } finally {
    db.close();
  }
}

export function epochOf(db: DatabaseSync): string {
  return (db.prepare('SELECT epoch FROM meta').get() as { epoch: string }).epoch;
}

/** Where the database is: its lock and its side files stand there, whichever link leads to it. */
export function realFile(path: string, mostLinks = 8): string {
  const file = resolve(path);
  if (existsSync(file)) return realpathSync(file);
  if (mostLinks === 0 || !isLink(file)) return file;
  return realFile(resolve(dirname(file), readlinkSync(file)), mostLinks - 1); // to a file that is not there yet
}

/** False where there is nothing, also where a folder of the path is none: `checkPlace` says so. */
function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    return false;
  }
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

/** Whether all pages of it were checked. Throws where something is wrong with those that were. */
function isWhole(db: DatabaseSync, file: string): boolean {
  if (statSync(file).size <= CHECKED_AT_ONCE_BYTES) {
    const [found] = Object.values(db.prepare('PRAGMA quick_check(1)').get()!);
    if (found !== 'ok') throw damaged(file);
    return true;
  }
  // SQLite has compared the file's size with its header. These are the first pages of every table.
  for (const { name } of db.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table'`).all())
    db.prepare(`SELECT * FROM "${name}" LIMIT 1`).get();
  return false;
}

/** What to say where the lock is another's. */
export function inUse(file: string): Unusable {
  return new Unusable(
    `The database ${file} is in use by another process: stop that one, or set DATA to another folder.`,
  );
}

/** Its pages do not fit together: no later attempt will find it otherwise. */
export class Damaged extends Unusable {}

export function damaged(file: string): Damaged {
  return new Damaged(
    `The database ${file} is damaged: put a backup in its place, or move it away to begin with an empty one.`,
  );
}

/** The sentence for an error of SQLite's; any other error as it is. */
export function unusable(file: string, error: unknown): unknown {
  switch (sqliteCode(error)) {
    case SQLITE.BUSY:
      return inUse(file);
    case SQLITE.NOTADB:
      return new Unusable(`${file} is no database: move it away, or set DATA to another folder.`);
    case SQLITE.CORRUPT:
      return damaged(file);
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

function reason(error: unknown): string {
  return error instanceof Error ? error.message.split(',')[0]! : String(error);
}
