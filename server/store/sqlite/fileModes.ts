/**
 * Who may read the files of a database: only the user that the server runs as. Files get the mode 0600, the folder 0700. The
 * processes create them so, by `PRIVATE_UMASK`; files of an earlier version, or copied here by hand, are repaired at the
 * start. Everything is by path: opening and closing a file would drop the locks that this process has on it (fcntl).
 */
import { chmodSync, type Dirent, readdirSync, type Stats, statSync } from 'node:fs';
import { dirname, join, parse } from 'node:path';
import type { Logger } from 'pino';

/** For `process.umask`, before the first file is created. */
export const PRIVATE_UMASK = 0o077;
export const PRIVATE_FOLDER_MODE = 0o700;
export const PRIVATE_FILE_MODE = 0o600;

/**
 * Repairs the modes of the database, of every file beside it whose name begins as its own does (side files, lock, mark, kept
 * databases, backups), and of the folder. Logs a warning where others can still read one of them. Never throws.
 */
export function repairModes(file: string, log: Pick<Logger, 'warn'>): void {
  if (IS_WITHOUT_MODES) return;
  const folder = dirname(file);
  const all = contentOf(folder);
  const ours = all.filter((entry) => entry.isFile() && entry.name.startsWith(parse(file).name));
  // A folder that holds more, such as /tmp or a home folder, is not ours to close.
  const isOurFolder = all.every((entry) => ours.includes(entry) || entry.name === 'lost+found');
  if (isOurFolder) setMode(folder, PRIVATE_FOLDER_MODE, isSticky);
  const open = ours.map(({ name }) => join(folder, name)).filter((path) => !isPrivateFile(path));
  if (open.length > 0 && (modeOf(folder) & ENTERED_BY_OTHERS) !== 0)
    log.warn(
      { files: open },
      'other users of this machine can read these files, and their permissions cannot be changed: do it by hand, or set DATA to a folder on a file system with permissions',
    );
}

/** Returns whether only the owner can read the file now; tries to make it so. */
export function isPrivateFile(path: string): boolean {
  if (IS_WITHOUT_MODES) return true;
  setMode(path, PRIVATE_FILE_MODE);
  return (modeOf(path) & READ_BY_OTHERS) === 0;
}

/** Windows: Node shows modes there, but a file's access list is another thing. */
const IS_WITHOUT_MODES = process.platform === 'win32';
const READ_BY_OTHERS = 0o044;
const ENTERED_BY_OTHERS = 0o011;
const ALL_OF_OTHERS = 0o077;
const STICKY = 0o1000;

/** Not where nobody else has a permission: chmod changes the file's ctime, which the integrity mark contains. */
function setMode(path: string, mode: number, isExempt: (stat: Stats) => boolean = () => false): void {
  try {
    const stat = statSync(path);
    if ((stat.mode & ALL_OF_OTHERS) !== 0 && !isExempt(stat)) chmodSync(path, mode);
  } catch {
    // gone, of another owner, or on a file system without modes: the caller looks at the result
  }
}

/** As /tmp: a folder that everybody shares. */
function isSticky({ mode }: Stats): boolean {
  return (mode & STICKY) !== 0;
}

/** 0 where it does not exist. */
function modeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
}

function contentOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
