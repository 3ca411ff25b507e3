/**
 * `npm run restore`: a copy in the place of the database of a server that is stopped. The place is never empty, and never
 * holds anything but one whole database: killed at any moment, it is the old one or the new one.
 */
import { copyFileSync, existsSync, linkSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { newEpoch } from '../epoch.ts';
import { Unusable } from '../port.ts';
import { checkPlace, inUse, realFile } from './database.ts';
import { SQLITE, sqliteCode } from './faults.ts';
import {
  codeOf,
  copyDatabase,
  inWords,
  onDisk,
  removeDatabase,
  removeSideFiles,
  SIDE_FILES,
} from './files.ts';
import { takeLock } from './lock.ts';
import { removeMark, writeMark } from './mark.ts';
import { APPLICATION_ID } from './schema.ts';
import { makeWhole } from './whole.ts';

/** Resolves with where what was there before is kept. Rejects with `Unusable` where something is to be done. */
export function restore(copy: string, name: string, now: Date): Promise<string | undefined> {
  const file = realFile(name); // a link to another disk stays one
  return inWords(dirname(file), () => alone(copy, file, now));
}

async function alone(copy: string, file: string, now: Date): Promise<string | undefined> {
  checkCopy(copy, file);
  checkPlace(file);
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
  const held = hold(file);
  const made = `${file}.restoring`;
  try {
    removeDatabase(made); // of a restore that was killed
    copyDatabase(copy, made);
    makeWhole(made, copy, renewEpoch);
    onDisk(made);
    const kept = held === 'nothing' ? undefined : keep(file, now);
    removeMark(file);
    renameSync(made, file);
    onDisk(dirname(file));
    writeMark(file, 'whole'); // all of it was checked
    return kept;
  } finally {
    if (held instanceof DatabaseSync) held.close();
    removeDatabase(made);
  }
}

function checkCopy(copy: string, file: string): void {
  if (!existsSync(copy))
    throw new Unusable(`There is no file ${copy}: name one that \`npm run backup\` has made.`);
  const { dev, ino } = statSync(copy);
  if (!statSync(copy).isFile())
    throw new Unusable(`${copy} is no file: name one that \`npm run backup\` has made.`);
  if (!existsSync(file)) return;
  const there = statSync(file);
  if (there.dev === dev && there.ino === ino)
    throw new Unusable(`${copy} is the database itself: name a copy of it.`);
}

/** Whoever has another epoch reads all anew, and keeps what waits. */
function renewEpoch(db: DatabaseSync): void {
  db.prepare('UPDATE meta SET epoch = ?').run(newEpoch());
}

/**
 * Keeps everybody out until it is closed: other programs, and servers of older versions, which know nothing of our lock.
 * One plain file afterwards: a log of changes that stays beside another database would be taken for that one's.
 * `damaged`: nobody can have it open, and nothing of it can be mended.
 */
function hold(file: string): DatabaseSync | 'nothing' | 'damaged' {
  if (!existsSync(file)) return 'nothing';
  const db = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS });
  try {
    db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT');
    const [application] = Object.values(db.prepare('PRAGMA application_id').get()!);
    if (application !== APPLICATION_ID && application !== 0)
      throw new Unusable(`${file} is the database of another application: set DATA to another folder.`);
    db.exec('PRAGMA journal_mode = DELETE');
    db.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE'); // it takes no file by its name any more
    removeSideFiles(file); // nothing is in them
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

/** How long a backup may still read the file, or a server that is going away hold it. */
const BUSY_TIMEOUT_MS = 2_000;

/** Under another name beside it, and still under its own until the new one has that. */
function keep(file: string, now: Date): string {
  const kept = freeName(`${file}.before-${now.toISOString().slice(0, 19).replaceAll(':', '-')}Z`);
  try {
    linkSync(file, kept);
  } catch (error) {
    if (codeOf(error) === 'ENOSPC') throw error;
    copyFileSync(file, kept); // a file system without links
    onDisk(kept);
  }
  for (const end of SIDE_FILES) if (existsSync(file + end)) renameSync(file + end, kept + end); // of a damaged one
  onDisk(dirname(file));
  return kept;
}

function freeName(name: string): string {
  for (let count = 1; ; count++) {
    const free = count === 1 ? name : `${name}-${count}`;
    if (!existsSync(free)) return free;
  }
}
