/**
 * The integrity mark: a small file next to the database that tells the next run whether the database was intact or damaged
 * when its last server closed it properly. An intact one needs no check at the start.
 *
 * The mark is removed, and synced, before the database is opened for writing, so after a crash there is none. It contains the
 * database file's size, mtime and ctime, so that it does not apply to a file that was put in its place by hand: no copy has
 * the ctime of the file it replaces. It does not detect a disk that changes bytes by itself.
 */
import { closeSync, fsyncSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isMissing, syncToDisk } from './databaseFiles.ts';
import { PRIVATE_FILE_MODE } from './fileModes.ts';

/** `unknown`: there is no mark, or it belongs to another file. */
export type MarkedState = 'whole' | 'damaged' | 'unknown';

export function markFileOf(file: string): string {
  return `${file}.checked`;
}

/** No process may have the database open. */
export function readMark(file: string): MarkedState {
  const mark = read(markFileOf(file));
  const stated = (['whole', 'damaged'] as const).find((known) => mark === textOf(file, known));
  return mark === undefined || stated === undefined ? 'unknown' : stated;
}

/** Returns when the removal is synced to the disk. */
export function removeMark(file: string): void {
  if (read(markFileOf(file)) === undefined) return;
  rmSync(markFileOf(file), { force: true });
  syncToDisk(dirname(file));
}

/** The database must be closed, with no commits left in the WAL file. */
export function writeMark(file: string, known: Exclude<MarkedState, 'unknown'>): void {
  const text = textOf(file, known);
  if (text === undefined) return;
  const handle = openSync(markFileOf(file), 'w', PRIVATE_FILE_MODE);
  try {
    writeFileSync(handle, text);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  syncToDisk(dirname(file));
}

/** The content of a mark. Undefined where the file does not exist, or the WAL file holds commits. */
function textOf(file: string, known: Exclude<MarkedState, 'unknown'>): string | undefined {
  const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
  const changes = statSync(`${file}-wal`, { throwIfNoEntry: false });
  if (!stat || (changes?.size ?? 0) > 0) return undefined;
  return `${known} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}\n`;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
