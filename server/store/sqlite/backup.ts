/**
 * `npm run backup`: copies the database into one file, also while a server runs on it. A connection of this process reads a
 * snapshot (`VACUUM INTO`) while the server goes on writing. Deleted content is not copied.
 */
import { existsSync, linkSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Unusable } from '../port.ts';
import { damaged, unusable } from './connections.ts';
import { explainingErrors, isMissing, makeWhole, removeDatabase, syncToDisk } from './databaseFiles.ts';
import { SQLITE, sqliteCode } from './faults.ts';
import { isPrivateFile } from './fileModes.ts';

/**
 * Afterwards `to` is intact and synced, or does not exist. Resolves with whether only its owner can read it, which depends on
 * the file system. Rejects with `Unusable`, whose message says what to do.
 */
export function backUp(file: string, to: string): Promise<boolean> {
  return explainingErrors(dirname(to), async () => backUpNow(file, to));
}

function backUpNow(file: string, to: string): boolean {
  if (!existsSync(file))
    throw new Unusable(`There is no database ${file}: set DATA to the folder that the server has.`);
  checkTarget(to);
  const partial = `${to}.partial`;
  removeDatabase(partial);
  try {
    copyInto(file, partial);
    const isPrivate = isPrivateFile(partial);
    makeWhole(partial, file);
    syncToDisk(partial);
    giveName(partial, to);
    syncToDisk(dirname(to));
    return isPrivate;
  } finally {
    removeDatabase(partial);
  }
}

/** Does not sync the copy. */
function copyInto(file: string, copy: string): void {
  using db = openSource(file);
  try {
    db.prepare('VACUUM INTO ?').run(copy);
  } catch (error) {
    throw sqliteCode(error) === SQLITE.CORRUPT ? damaged(file) : error;
  }
}

/**
 * Opens it read-only where the WAL file holds commits of a running or killed server: closing a connection that may write
 * would checkpoint them. Otherwise not read-only, so that closing removes the side files that opening created.
 */
function openSource(file: string): DatabaseSync {
  const hasCommitsInWal = (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
  const db = new DatabaseSync(file, { readOnly: hasCommitsInWal, timeout: BUSY_TIMEOUT_MS });
  try {
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
    return db;
  } catch (error) {
    db.close();
    if (sqliteCode(error) === SQLITE.BUSY)
      throw new Unusable(
        `${file} is locked by a process that lets nobody read it, such as an older version of Holdfast: stop that one first.`,
      );
    throw unusable(file, error);
  }
}

const BUSY_TIMEOUT_MS = 2_000;

function checkTarget(to: string): void {
  if (!existsSync(dirname(to))) throw new Unusable(`There is no folder ${dirname(to)}: make it first.`);
  if (!existsSync(to)) return;
  if (statSync(to).isDirectory()) throw new Unusable(`${to} is a folder: name a file in it.`);
  throw alreadyThere(to);
}

/** A hard link fails where `to` exists, so nothing is overwritten. File systems without links need the check before. */
function giveName(partial: string, to: string): void {
  try {
    linkSync(partial, to);
  } catch (error) {
    if (isMissing(error)) throw error;
    if (existsSync(to)) throw alreadyThere(to);
    renameSync(partial, to);
  }
}

function alreadyThere(to: string): Unusable {
  return new Unusable(`${to} exists already, and nothing is overwritten: name another file.`);
}
