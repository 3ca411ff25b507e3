/**
 * Opens and closes the database file: checks that it is ours, creates or migrates its tables, syncs every commit. One
 * connection writes and one reads, in WAL mode with normal locking (https://sqlite.org/wal.html), so that reads run
 * concurrently with the writer. processLock.ts decides which process may open it.
 *
 * Why nothing is visible before it is durable (L2). A commit writes its frames to the WAL file, syncs it
 * (`synchronous = FULL`), and only then publishes the new end of the WAL in the shared index, which is all that other
 * connections read (walFrames in SQLite's wal.c: sqlite3OsSync, then walIndexAppend and walIndexWriteHdr). COMMIT returns
 * after that, so a read that begins after an acknowledgement sees what was acknowledged. One case remains: frames that a
 * killed process wrote but had not synced are in the WAL file, and recovery includes them. So opening after a crash commits
 * once before anybody reads (it writes an unchanged page), which syncs the whole WAL file.
 *
 * Why an older version and this one never write at the same time. An older version opens the file in exclusive mode, with an
 * exclusive lock on it; every connection in WAL mode holds a shared lock on it while it is open.
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
import { newEpoch, Unusable } from '../port.ts';
import { SQLITE, sqliteCode } from './faults.ts';
import { PRIVATE_FOLDER_MODE } from './fileModes.ts';
import { movedFrom } from './movedFile.ts';
import { transactionOn } from './rows.ts';
import { APPLICATION_ID, migrate, SCHEMA_VERSION, VERSION_OF_MOVES } from './tables.ts';

/** How long to wait for a lock of another connection, such as a server of an older version that is stopping. */
export const BUSY_TIMEOUT_MS = 1_000;

/** A file up to this size is fully checked before it is used: half a second on a slow SD card. */
const CHECKED_ON_OPEN_BYTES = 4 * 1024 * 1024;

export interface OpenedWriter {
  db: DatabaseSync;
  /** False where the pages of the file still have to be checked (integrity.ts). */
  isChecked: boolean;
}

/**
 * Opens the connection that writes. `isKnownWhole`: the file was closed properly, and known to be intact then.
 * Throws `Unusable` with one sentence that says what to do.
 */
export function openWriter(path: string, { isKnownWhole = false } = {}): OpenedWriter {
  const file = resolve(path);
  checkAccess(file);
  return opening(file, {}, (db) => {
    const version = versionOf(db, file);
    db.exec(PRAGMAS);
    const isChecked = isKnownWhole || checkPages(db, file);
    const made = { epoch: newEpoch(), at: Date.now() };
    if (version < SCHEMA_VERSION) transactionOn(db)(() => migrate(db, version, made));
    else if (!isKnownWhole) db.exec(`PRAGMA user_version = ${version}`); // L2: see above
    return { db, isChecked };
  });
}

/** Opens a connection that only reads, while the writer's is open. Throws `Unusable`. */
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
 * synchronous, fullfsync: a commit is on the disk, past the drive's own cache (which macOS flushes only on request), before
 * it is answered (L4). secure_delete: deleted content is overwritten (docs/PROTOCOL.md: "in the store too").
 * journal_size_limit, in bytes: a WAL file that grew during a backup is truncated when it restarts.
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
 * Checkpoints the WAL file, so that no deleted text stays in it, and closes the connection. The reader must be closed. Returns
 * false where the checkpoint failed: the commits stay in the WAL file, and the next opening reads them.
 */
export function closeWriter(db: DatabaseSync): boolean {
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

/** Resolves symbolic links: the lock and the side files are next to the real file. */
export function realFile(path: string, maxLinks = 8): string {
  const file = resolve(path);
  if (existsSync(file)) return realpathSync(file);
  if (maxLinks === 0 || !isLink(file)) return file;
  return realFile(resolve(dirname(file), readlinkSync(file)), maxLinks - 1); // a link to a file that does not exist yet
}

/** False where nothing exists, also where a folder of the path is a file: `checkAccess` reports that. */
function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    return false;
  }
}

/**
 * Creates the folder, and checks that folder and file can be written; SQLite itself would silently open a read-only file.
 * Uses access(2) and opens nothing: closing any descriptor of a file drops the locks that this process has on it (fcntl).
 */
export function checkAccess(file: string): void {
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
    throw new Unusable(`${file} is not a file: move it away, or set DATA to another folder.`);
  try {
    accessSync(file, constants.R_OK | constants.W_OK);
  } catch (error) {
    throw new Unusable(
      `The database ${file} cannot be written to (${reason(error)}): change its permissions, or set DATA to another folder.`,
    );
  }
}

/** Not with `recursive`: where a parent accepts no folders, as /proc, that never returns (Node 24). */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  mkdirSync(folder, PRIVATE_FOLDER_MODE);
}

/**
 * The schema version; 0 for an empty file. Throws for a file of another application, or one that was moved to MongoDB, before
 * anything in it is changed.
 */
export function versionOf(db: DatabaseSync, file: string): number {
  const version = versionOfOurs(db, file);
  const moved = version >= VERSION_OF_MOVES ? movedFrom(db, file) : undefined;
  if (moved) throw moved;
  return version;
}

/** The same, also of a file that was moved. */
export function versionOfOurs(db: DatabaseSync, file: string): number {
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

/** Returns whether all pages were checked. Throws where a checked page is damaged. */
function checkPages(db: DatabaseSync, file: string): boolean {
  if (statSync(file).size <= CHECKED_ON_OPEN_BYTES) {
    const [found] = Object.values(db.prepare('PRAGMA quick_check(1)').get()!);
    if (found !== 'ok') throw damaged(file);
    return true;
  }
  // SQLite has already compared the file's size with its header. This reads the first pages of each table.
  for (const { name } of db.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table'`).all())
    db.prepare(`SELECT * FROM "${name}" LIMIT 1`).get();
  return false;
}

/** The error where another process holds the lock. */
export function inUse(file: string): Unusable {
  return new Unusable(
    `The database ${file} is in use by another process: stop that one, or set DATA to another folder.`,
  );
}

/** The pages of the file are inconsistent: trying again does not help. */
export class Damaged extends Unusable {}

export function damaged(file: string): Damaged {
  return new Damaged(
    `The database ${file} is damaged: put a backup in its place, or move it away to begin with an empty one.`,
  );
}

/** The `Unusable` for an error of SQLite; returns any other error unchanged. */
export function unusable(file: string, error: unknown): unknown {
  switch (sqliteCode(error)) {
    case SQLITE.BUSY:
      return inUse(file);
    case SQLITE.NOTADB:
      return new Unusable(`${file} is not a database: move it away, or set DATA to another folder.`);
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
