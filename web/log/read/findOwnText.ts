/** Finds a message in the stored log by its key (clientOffset), with its current text. For amendments and for the screen. */
import type { Entry } from '../../../shared/entry.ts';
import { fold } from '../../../shared/fold.ts';
import { isMessage } from '../../../shared/kinds.ts';
import { readCursor } from '../../db/lookups.ts';
import { keysBetween, type UserRead, type UserWrite } from '../../db/userDatabase.ts';
import type { Row } from '../../records/row.ts';

export interface OwnText {
  serverOffset: number;
  /** The current text, by all stored amendments; undefined for other kinds. */
  body: string | undefined;
  isDeleted: boolean;
}

/**
 * The message of `author` with this key: at the serverOffset `hint`, or else among the newest LOOKED_THROUGH entries.
 * There is no index of keys, since nearly all callers know the serverOffset.
 */
export async function findOwnText(
  tx: UserRead | UserWrite,
  author: string,
  room: string,
  key: string,
  hint?: number,
): Promise<OwnText | undefined> {
  const isIt = (entry: Entry) => isMessage(entry) && entry.author === author && entry.clientOffset === key;
  const there = hint === undefined ? undefined : await entryAt(tx, room, hint);
  const entry = there && isIt(there) ? there : (await newest(tx, room)).find(isIt);
  if (!entry) return undefined;
  const [line] = fold([entry], await entriesAbout(tx, room, entry.serverOffset));
  return {
    serverOffset: entry.serverOffset,
    body: line?.tag === 'text' ? line.body : undefined,
    isDeleted: line?.tag === 'deleted',
  };
}

/** The stored entries that have this one as their target. */
export async function entriesAbout(
  tx: UserRead | UserWrite,
  room: string,
  serverOffset: number,
): Promise<Entry[]> {
  const ofEntry = keysBetween(room, serverOffset, serverOffset);
  return [
    ...(await tx.objectStore('log').index('target').getAll(ofEntry)),
    ...(await tx.objectStore('detached').index('target').getAll(ofEntry)),
  ];
}

export async function entryAt(
  tx: UserRead | UserWrite,
  room: string,
  serverOffset: number,
): Promise<Entry | undefined> {
  const at: [string, number] = [room, serverOffset];
  return (await tx.objectStore('log').get(at)) ?? (await tx.objectStore('detached').get(at));
}

/** The keys of those targets of the rows that are stored at the row's `targetOffset`. */
export async function storedTargets(tx: UserRead, rows: readonly Row[]): Promise<Set<string>> {
  const held = new Set<string>();
  for (const row of rows) {
    if (row.target === undefined || row.targetOffset === undefined) continue;
    const entry = await entryAt(tx, row.room, row.targetOffset);
    if (entry?.clientOffset === row.target) held.add(row.target);
  }
  return held;
}

async function newest(tx: UserRead | UserWrite, room: string): Promise<Entry[]> {
  const cursor = await readCursor(tx, room);
  const range = keysBetween(room, cursor - LOOKED_THROUGH + 1, cursor);
  const beyond = keysBetween(room, 0, Number.POSITIVE_INFINITY);
  return [
    ...(await tx.objectStore('log').getAll(range)),
    ...(await tx.objectStore('detached').getAll(beyond)),
  ];
}

/** Entries. */
const LOOKED_THROUGH = 500;
