/**
 * A copy of a database while a server writes to it. The server lets nobody else open its file, so SQLite's own backup
 * cannot be had from outside. But its format (https://sqlite.org/walformat.html) says when plain copies fit together:
 * a page of the file is changed only when it stands in the log of changes (`-wal`), and that is begun anew under another
 * salt. So the file first, then the log: with the same salt before and after, all that changed in the file meanwhile
 * stands in the copied log, and what SQLite makes of the two is what was committed when the log was copied.
 */
import { constants } from 'node:fs';
import { copyFile, open, rm, stat } from 'node:fs/promises';
import { Unusable } from '../port.ts';
import { isMissing } from './files.ts';

/** A busy server begins its log anew every second or so; a copy of a gigabyte takes about one. */
const TRY_FOR_MS = 60_000;

/** With its `-wal` beside it, if there is one. Any file may be copied so: whether it is a database shows when it is opened. */
export async function snapshot(from: string, to: string): Promise<void> {
  const until = performance.now() + TRY_FOR_MS;
  do {
    const before = await generationOf(from);
    await copy(from, to);
    await copyIfThere(`${from}-wal`, `${to}-wal`);
    if ((await generationOf(from)) === before) return;
  } while (performance.now() < until);
  throw new Unusable(
    `So much is being written to ${from} that no copy came to its end: try again when less is, or stop the server first.`,
  );
}

/** The beginning of the log of changes; where there is none, the file must not have been written to at all. */
async function generationOf(file: string): Promise<string> {
  const header = await beginningOf(`${file}-wal`);
  if (header.length === WAL_HEADER_BYTES) return header.toString('hex');
  const { ino, size, mtimeNs } = await stat(file, { bigint: true });
  return `${ino} ${size} ${mtimeNs}`;
}

const WAL_HEADER_BYTES = 32;

async function beginningOf(file: string): Promise<Buffer> {
  try {
    await using handle = await open(file);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(WAL_HEADER_BYTES), 0, WAL_HEADER_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    if (isMissing(error)) return Buffer.alloc(0);
    throw error;
  }
}

async function copyIfThere(from: string, to: string): Promise<void> {
  try {
    await copy(from, to);
  } catch (error) {
    if (!isMissing(error)) throw error;
    await rm(to, { force: true }); // of the attempt before
  }
}

/** Where the file system can, without copying a byte. */
function copy(from: string, to: string): Promise<void> {
  return copyFile(from, to, constants.COPYFILE_FICLONE);
}
