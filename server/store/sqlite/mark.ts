/**
 * What is known of a database file from one run to the next, in a small file beside it: that it was whole, or damaged,
 * when its last server stopped in order. A file that is known to be whole needs no check at the start.
 *
 * The mark is removed, durably, before the database is opened for writing: after a crash there is none. It names the
 * file's size and times (mtime, ctime), so that it says nothing of a file that was put in its place by hand: no copy has
 * the ctime of what it replaces. A disk that changes bytes by itself is not noticed by any of this.
 */
import { closeSync, fsyncSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isMissing, onDisk } from './files.ts';

/** `unknown`: there is no mark, or it is of another file. */
export type Known = 'whole' | 'damaged' | 'unknown';

export function markFileOf(file: string): string {
  return `${file}.checked`;
}

/** Nothing may have the file open. */
export function readMark(file: string): Known {
  const mark = read(markFileOf(file));
  const stated = (['whole', 'damaged'] as const).find((known) => mark === textOf(file, known));
  return mark === undefined || stated === undefined ? 'unknown' : stated;
}

/** Returns when it is gone from the disk as well. */
export function removeMark(file: string): void {
  if (read(markFileOf(file)) === undefined) return;
  rmSync(markFileOf(file), { force: true });
  onDisk(dirname(file));
}

/** The file must be closed, and nothing of it in a log of changes. */
export function writeMark(file: string, known: Exclude<Known, 'unknown'>): void {
  const text = textOf(file, known);
  if (text === undefined) return;
  const handle = openSync(markFileOf(file), 'w');
  try {
    writeFileSync(handle, text);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  onDisk(dirname(file));
}

/** Undefined where there is no such file, or where commits stand beside it. */
function textOf(file: string, known: Exclude<Known, 'unknown'>): string | undefined {
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
