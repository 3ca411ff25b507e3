/** Messages in what is held of the log, found by their keys. */
import type { Entry } from '../../shared/entry.ts';
import { fold } from '../../shared/fold.ts';
import { isMessage } from '../../shared/kinds.ts';
import { type UserRead, type UserWrite, within } from '../db/schema.ts';
import { cursorIn } from '../log/readSpans.ts';
import type { Row } from './row.ts';

export interface HeldMessage {
  serverOffset: number;
  /** As it shows by all that is held; undefined of what is no text. */
  body: string | undefined;
  isDeleted: boolean;
}

/** At `hint` if it is there, else among the newest: there is no index on keys, since almost everybody knows the place. */
export async function heldMessage(
  tx: UserRead | UserWrite,
  author: string,
  room: string,
  key: string,
  hint?: number,
): Promise<HeldMessage | undefined> {
  const isIt = (entry: Entry) => isMessage(entry) && entry.author === author && entry.clientOffset === key;
  const there = hint === undefined ? undefined : await entryAt(tx, room, hint);
  const entry = there && isIt(there) ? there : (await newest(tx, room)).find(isIt);
  if (!entry) return undefined;
  const place = within(room, entry.serverOffset, entry.serverOffset);
  const amendments = [
    ...(await tx.objectStore('log').index('target').getAll(place)),
    ...(await tx.objectStore('detached').index('target').getAll(place)),
  ];
  const [line] = fold([entry], amendments);
  return {
    serverOffset: entry.serverOffset,
    body: line?.tag === 'text' ? line.body : undefined,
    isDeleted: line?.tag === 'deleted',
  };
}

export async function entryAt(
  tx: UserRead | UserWrite,
  room: string,
  serverOffset: number,
): Promise<Entry | undefined> {
  const at: [string, number] = [room, serverOffset];
  return (await tx.objectStore('log').get(at)) ?? (await tx.objectStore('detached').get(at));
}

/** Which of the messages that these rows are about are held, each where its row says. */
export async function heldTargets(tx: UserRead, rows: readonly Row[]): Promise<Set<string>> {
  const held = new Set<string>();
  for (const row of rows) {
    if (row.target === undefined || row.targetOffset === undefined) continue;
    const entry = await entryAt(tx, row.room, row.targetOffset);
    if (entry?.clientOffset === row.target) held.add(row.target);
  }
  return held;
}

async function newest(tx: UserRead | UserWrite, room: string): Promise<Entry[]> {
  const cursor = await cursorIn(tx, room);
  const range = within(room, cursor - LOOKED_THROUGH + 1, cursor);
  const beyond = within(room, 0, Number.POSITIVE_INFINITY);
  return [
    ...(await tx.objectStore('log').getAll(range)),
    ...(await tx.objectStore('detached').getAll(beyond)),
  ];
}

const LOOKED_THROUGH = 500;
