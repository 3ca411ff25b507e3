/**
 * `npm run backup`: the database of a server, running or not, as one file. A connection of this process reads the database
 * beside the server, as it is at one moment (`VACUUM INTO`): the server goes on writing, and does not know of it. What was
 * deleted is not copied.
 */
import { existsSync, linkSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Unusable } from '../port.ts';
import { damaged, unusable } from './database.ts';
import { SQLITE, sqliteCode } from './faults.ts';
import { inWords, isMissing, onDisk, removeDatabase } from './files.ts';
import { makeWhole } from './whole.ts';

/** `to` is there when it is whole and on the disk, or not at all. Rejects with `Unusable` where something is to be done. */
export function backUp(file: string, to: string): Promise<void> {
  return inWords(dirname(to), async () => make(file, to));
}

function make(file: string, to: string): void {
  if (!existsSync(file))
    throw new Unusable(`There is no database ${file}: set DATA to the folder that the server has.`);
  checkTarget(to);
  const partial = `${to}.partial`;
  removeDatabase(partial);
  try {
    copyInto(file, partial);
    makeWhole(partial, file);
    onDisk(partial);
    giveName(partial, to);
    onDisk(dirname(to));
  } finally {
    removeDatabase(partial);
  }
}

/** The copy is not yet on the disk when this returns. */
function copyInto(file: string, copy: string): void {
  using db = openSource(file);
  try {
    db.prepare('VACUUM INTO ?').run(copy);
  } catch (error) {
    throw sqliteCode(error) === SQLITE.CORRUPT ? damaged(file) : error;
  }
}

/**
 * Read-only where commits stand in the log of changes, those of a running server or of one that was killed: closing a
 * connection that may write would take them into the file. Otherwise not, so that closing removes what opening made.
 */
function openSource(file: string): DatabaseSync {
  const hasChanges = (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
  const db = new DatabaseSync(file, { readOnly: hasChanges, timeout: BUSY_TIMEOUT_MS });
  try {
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
    return db;
  } catch (error) {
    db.close();
    if (sqliteCode(error) === SQLITE.BUSY)
      throw new Unusable(
        `${file} is held by a process that lets nobody read it, such as an older version of Holdfast: stop that one first.`,
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

/** A link is made only where there is nothing. File systems without links have no such way. */
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
  return new Unusable(`${to} is there already, and nothing is overwritten: name another file.`);
}
