/** Database files as the commands `backup` and `restore` treat them: copy, verify, sync and remove. */
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  openSync,
  rmSync,
  statSync,
} from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { Unusable } from '../port.ts';
import { SQLITE, sqliteCode } from './faults.ts';
import { isPrivateFile } from './fileModes.ts';
import { APPLICATION_ID, SCHEMA_VERSION } from './tables.ts';

/** Endings of the files that SQLite keeps next to a database. */
export const SIDE_FILES = ['-wal', '-shm', '-journal'] as const;

/** Removes a database with its side files, some of which may exist without it. No process may have it open. */
export function removeDatabase(file: string): void {
  rmSync(file, { force: true });
  removeSideFiles(file);
}

/** Removes the side files, and with them commits that are not in the database yet. No process may have it open. */
export function removeSideFiles(of: string): void {
  for (const end of SIDE_FILES) rmSync(of + end, { force: true });
}

/**
 * Copies a database that no process has open, and its WAL file if there is one. Accepts any file: `makeWhole` finds out
 * whether it is a database. Throws `Unusable` where it was written to meanwhile.
 */
export function copyDatabase(from: string, to: string): void {
  const before = stateOf(from);
  copyFileSync(from, to, constants.COPYFILE_FICLONE); // a copy-on-write clone, where the file system supports it
  if (existsSync(`${from}-wal`)) copyFileSync(`${from}-wal`, `${to}-wal`);
  for (const path of [to, `${to}-wal`]) isPrivateFile(path); // a copy has the mode of its original
  if (stateOf(from) !== before)
    throw new Unusable(
      `${from} is being written to: name a file that \`npm run backup\` has made, or stop what writes to it.`,
    );
}

function stateOf(file: string): string {
  const stats = [file, `${file}-wal`].map((path) => statSync(path, { bigint: true, throwIfNoEntry: false }));
  return stats.map((stat) => stat && `${stat.size} ${stat.mtimeNs}`).join();
}

/**
 * Checks that `copy` is an intact database of ours of a known version, applies `change`, and merges its WAL file into it, so
 * that one file remains. Nobody else may use `copy`; `name` is its name in error messages. Throws `Unusable`.
 */
export function makeWhole(copy: string, name: string, change: (db: DatabaseSync) => void = () => {}): void {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(copy);
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA fullfsync = ON; PRAGMA secure_delete = ON');
    checkCopy(db, name);
    change(db);
    db.exec('PRAGMA journal_mode = DELETE'); // merges and removes the WAL file
  } catch (error) {
    throw unusableCopy(name, error);
  } finally {
    db?.close();
  }
}

function checkCopy(db: DatabaseSync, name: string): void {
  const value = (pragma: string) => Object.values(db.prepare(pragma).get()!)[0];
  if (value('PRAGMA application_id') !== APPLICATION_ID)
    throw new Unusable(
      `${name} is not a database of Holdfast: name a file that \`npm run backup\` has made.`,
    );
  if ((value('PRAGMA user_version') as number) > SCHEMA_VERSION)
    throw new Unusable(
      `${name} was written by a newer version of Holdfast: install that version or a later one.`,
    );
  if (value('PRAGMA integrity_check(1)') !== 'ok') throw damagedCopy(name);
}

function unusableCopy(name: string, error: unknown): unknown {
  switch (sqliteCode(error)) {
    case SQLITE.NOTADB:
      return new Unusable(`${name} is not a database: name a file that \`npm run backup\` has made.`);
    case SQLITE.CORRUPT:
      return damagedCopy(name);
    default:
      return error;
  }
}

function damagedCopy(name: string): Unusable {
  return new Unusable(`${name} is damaged: take an older copy.`);
}

/** Syncs a file, or the names in a folder, to the disk. */
export function syncToDisk(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } catch (error) {
    if (codeOf(error) !== 'EPERM' && codeOf(error) !== 'EINVAL') throw error; // some systems cannot sync folders
  } finally {
    closeSync(handle);
  }
}

export function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT';
}

export function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

/** Turns errors of disks and permissions into `Unusable`, with one sentence that says what to do. `folder` is written to. */
export async function explainingErrors<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw explain(folder, error) ?? error;
  }
}

function explain(folder: string, error: unknown): Unusable | undefined {
  const why = error instanceof Error ? error.message : String(error);
  const code = codeOf(error);
  const inSqlite = sqliteCode(error);
  if (code === 'ENOSPC' || code === 'EDQUOT' || inSqlite === SQLITE.FULL)
    return new Unusable(
      `There is no space left on the disk of ${folder}: free some, then try again. Nothing was changed.`,
    );
  if (code === 'EACCES' || code === 'EPERM' || inSqlite === SQLITE.READONLY || inSqlite === SQLITE.CANTOPEN)
    return new Unusable(`That is not allowed (${why}): do it as the user that the server runs as.`);
  if (code === 'EROFS')
    return new Unusable(`${folder} cannot be written to (${why}): name a place on another disk.`);
  if (code !== undefined || inSqlite !== undefined)
    return new Unusable(`It did not work (${why}): look at the disk of ${folder}. Nothing was changed.`);
  return undefined;
}
