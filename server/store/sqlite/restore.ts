/**
 * `npm run restore`: replaces the database of a stopped server by a copy. The replacement is atomic: if the command is killed
 * at any moment, the file is either the old database or the new one.
 */
import { copyFileSync, existsSync, linkSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { newEpoch, Unusable } from '../port.ts';
import { checkAccess, inUse, realFile } from './connections.ts';
import {
  codeOf,
  copyDatabase,
  explainingErrors,
  makeWhole,
  removeDatabase,
  removeSideFiles,
  SIDE_FILES,
  syncToDisk,
} from './databaseFiles.ts';
import { SQLITE, sqliteCode } from './faults.ts';
import { isPrivateFile } from './fileModes.ts';
import { removeMark, writeMark } from './integrityMark.ts';
import { forgetMove } from './movedFile.ts';
import { takeLock } from './processLock.ts';
import { APPLICATION_ID } from './tables.ts';

/** Resolves with the name under which the old database is kept. Rejects with `Unusable`, whose message says what to do. */
export function restore(copy: string, name: string, now: Date): Promise<string | undefined> {
  const file = realFile(name); // a symbolic link to another disk stays
  return explainingErrors(dirname(file), () => restoreLocked(copy, file, now));
}

async function restoreLocked(copy: string, file: string, now: Date): Promise<string | undefined> {
  checkCopy(copy, file);
  checkAccess(file);
  const lock = await takeLock(file);
  if (!lock)
    throw new Unusable(`The server is running on ${file}: stop it first, and start it again afterwards.`);
  try {
    return replace(copy, file, now);
  } finally {
    lock.release();
  }
}

function replace(copy: string, file: string, now: Date): string | undefined {
  const old = lockOld(file);
  const restored = `${file}.restoring`;
  try {
    removeDatabase(restored); // of a restore that was killed
    copyDatabase(copy, restored);
    makeWhole(restored, copy, renewEpoch);
    syncToDisk(restored);
    const kept = old === 'nothing' ? undefined : keep(file, now);
    removeMark(file);
    renameSync(restored, file);
    syncToDisk(dirname(file));
    writeMark(file, 'whole'); // `makeWhole` has checked all pages
    return kept;
  } finally {
    if (old instanceof DatabaseSync) old.close();
    removeDatabase(restored);
  }
}

function checkCopy(copy: string, file: string): void {
  if (!existsSync(copy))
    throw new Unusable(`There is no file ${copy}: name one that \`npm run backup\` has made.`);
  const { dev, ino } = statSync(copy);
  if (!statSync(copy).isFile())
    throw new Unusable(`${copy} is not a file: name one that \`npm run backup\` has made.`);
  if (!existsSync(file)) return;
  const there = statSync(file);
  if (there.dev === dev && there.ino === ino)
    throw new Unusable(`${copy} is the database itself: name a copy of it.`);
}

/** A copy of a file that was moved is an ordinary one again. With a new epoch, clients drop what they hold of the logs, read everything again, and keep their outbox. */
function renewEpoch(db: DatabaseSync): void {
  forgetMove(db);
  db.prepare('UPDATE meta SET epoch = ?').run(newEpoch());
}

/**
 * Locks the old database for this connection alone, also against other programs and older servers, which do not know our
 * lock file. Merges its WAL file: next to the new database SQLite would apply it to that. `damaged`: no process can have
 * it open, and it cannot be locked.
 */
function lockOld(file: string): DatabaseSync | 'nothing' | 'damaged' {
  if (!existsSync(file)) return 'nothing';
  const db = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS });
  try {
    db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT');
    const [application] = Object.values(db.prepare('PRAGMA application_id').get()!);
    if (application !== APPLICATION_ID && application !== 0)
      throw new Unusable(`${file} is the database of another application: set DATA to another folder.`);
    db.exec('PRAGMA journal_mode = DELETE');
    db.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE'); // from here on it opens no side file
    removeSideFiles(file); // they are empty
    return db;
  } catch (error) {
    db.close();
    switch (sqliteCode(error)) {
      case SQLITE.BUSY:
        throw inUse(file);
      case SQLITE.NOTADB:
      case SQLITE.CORRUPT:
        return 'damaged';
      default:
        throw error;
    }
  }
}

/** How long to wait for a backup that reads the file, or a server that is stopping. */
const BUSY_TIMEOUT_MS = 2_000;

/** Links the old database under a second name next to it, and returns that. Its own name stays until the rename replaces it. */
function keep(file: string, now: Date): string {
  const kept = freeName(`${file}.before-${now.toISOString().slice(0, 19).replaceAll(':', '-')}Z`);
  try {
    linkSync(file, kept);
  } catch (error) {
    if (codeOf(error) === 'ENOSPC') throw error;
    copyFileSync(file, kept); // a file system without links
    syncToDisk(kept);
  }
  for (const end of SIDE_FILES) if (existsSync(file + end)) renameSync(file + end, kept + end); // of a damaged one
  for (const end of ['', ...SIDE_FILES]) isPrivateFile(kept + end);
  syncToDisk(dirname(file));
  return kept;
}

function freeName(name: string): string {
  for (let count = 1; ; count++) {
    const free = count === 1 ? name : `${name}-${count}`;
    if (!existsSync(free)) return free;
  }
}
