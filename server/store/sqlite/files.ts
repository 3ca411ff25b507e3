/** Files and folders as the commands treat them. */
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
import { Unusable } from '../port.ts';
import { SQLITE, sqliteCode } from './faults.ts';

/** What SQLite puts beside a database. */
export const SIDE_FILES = ['-wal', '-shm', '-journal'] as const;

/** With all that stands beside it, some of which may be there without it. Nothing may have it open. */
export function removeDatabase(file: string): void {
  rmSync(file, { force: true });
  removeSideFiles(file);
}

/** What of a database stands beside it, commits not yet in it among them. Nothing may have it open. */
export function removeSideFiles(of: string): void {
  for (const end of SIDE_FILES) rmSync(of + end, { force: true });
}

/**
 * Copies a database that no process has open, with the log of changes beside it, if there is one. Any file may be copied
 * so: whether it is a database shows when the copy is opened. Throws `Unusable` where it was written to meanwhile.
 */
export function copyDatabase(from: string, to: string): void {
  const before = stateOf(from);
  copyFileSync(from, to, constants.COPYFILE_FICLONE); // where the file system can, without copying a byte
  if (existsSync(`${from}-wal`)) copyFileSync(`${from}-wal`, `${to}-wal`);
  if (stateOf(from) !== before)
    throw new Unusable(
      `${from} is being written to: name a file that \`npm run backup\` has made, or stop what writes to it.`,
    );
}

function stateOf(file: string): string {
  const stats = [file, `${file}-wal`].map((path) => statSync(path, { bigint: true, throwIfNoEntry: false }));
  return stats.map((stat) => stat && `${stat.size} ${stat.mtimeNs}`).join();
}

/** Returns when the file is on the disk, or the names in the folder are. */
export function onDisk(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } catch (error) {
    if (codeOf(error) !== 'EPERM' && codeOf(error) !== 'EINVAL') throw error; // no such thing for folders there
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

/** What goes wrong with disks and rights, in one sentence that says what to do. `folder` is where is written to. */
export async function inWords<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw sentenceFor(folder, error) ?? error;
  }
}

function sentenceFor(folder: string, error: unknown): Unusable | undefined {
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
