/**
 * What the screen shows of the outbox: which rows are messages of their own, and how many wait. By keys and counts;
 * rows are read only for the window.
 */

import { readAmendments, readFollowers } from '../db/lookups.ts';
import type { UserRead } from '../db/userDatabase.ts';
import { storedTargets } from '../log/read/findOwnText.ts';
import {
  type Follower,
  isAmendmentRow,
  isMessageRow,
  isRefused,
  isReplacementRow,
  isWaiting,
  type Row,
} from '../records/row.ts';
import { lastChanges } from './messages.ts';

export interface OutboxView {
  /** The `seq`s, in order, of messages, of amendments whose message is not held, and of what was not sent. */
  seqs: readonly number[];
  /** All amendments, in order. */
  changes: readonly Follower[];
}

export async function readOutboxView(tx: UserRead, room: string): Promise<OutboxView> {
  const changes = await readAmendments(tx, room);
  const alone = new Set((await withoutText(tx, changes)).map(({ seq }) => seq));
  const hidden = new Set(changes.map(({ seq }) => seq).filter((seq) => !alone.has(seq)));
  for (const row of await unshownIn(tx, room)) if (isWaiting(row)) hidden.add(row.seq);
  const all = await tx.objectStore('rows').index('room').getAllKeys(room);
  return { seqs: hidden.size === 0 ? all : all.filter((seq) => !hidden.has(seq)), changes };
}

/** The rows that exist, in the order of `seqs`. */
export async function rowsAt(tx: UserRead, seqs: readonly number[]): Promise<Row[]> {
  const rows = await Promise.all(seqs.map((seq) => tx.objectStore('rows').get(seq)));
  return rows.filter((row) => row !== undefined);
}

export interface RowCounts {
  messages: number;
  /** Rows that are sent without the person, and rows that are not. */
  waiting: number;
  notSent: number;
}

/**
 * Of one room, or of all. An amendment of a refused message does not count as waiting: the person decides about the
 * message first.
 */
export async function countRows(tx: UserRead, room?: string): Promise<RowCounts> {
  const rows = tx.objectStore('rows');
  const parked = room === undefined ? IDBKeyRange.bound(['parked'], ['parked', []]) : ['parked', room];
  const followers = await readFollowers(tx, room);
  const all = await (room === undefined ? rows.count() : rows.index('room').count(room));
  const notSent = await rows.index('state').count(parked as IDBKeyRange);
  let behind = 0;
  for (const row of followers) {
    const message = isWaiting(row) && (await rows.index('clientOffset').get(row.target));
    if (message && isRefused(message)) behind++;
  }
  const unshown = await unshownIn(tx, room);
  const messages = all - followers.filter(isAmendmentRow).length - unshown.length;
  return { messages, waiting: all - notSent - behind, notSent };
}

/** The newest queued message of the room. */
export async function lastMessage(tx: UserRead, room: string): Promise<Row | undefined> {
  let cursor = await tx.objectStore('rows').index('room').openCursor(room, 'prev');
  while (cursor && !isMessageRow(cursor.value)) cursor = await cursor.continue();
  return cursor?.value;
}

/** Of one room, or of all: rows that are neither a message nor an amendment. */
function unshownIn(tx: UserRead, room?: string): Promise<Row[]> {
  const range = room === undefined ? undefined : IDBKeyRange.only([room, 1]);
  return tx.objectStore('rows').index('unshown').getAll(range);
}

/**
 * The amendments that are shown as messages of their own, so that no own text is invisible: those whose message is not
 * held, and those that were not sent, unless their message is queued itself (O3, O4).
 */
async function withoutText(tx: UserRead, changes: readonly Follower[]): Promise<Follower[]> {
  const held = await storedTargets(tx, changes);
  const alone: Follower[] = [];
  for (const change of lastChanges(changes)) {
    const shows = !isWaiting(change) || (isReplacementRow(change) && !held.has(change.target));
    const message = shows && (await tx.objectStore('rows').index('clientOffset').getKey(change.target));
    if (shows && message === undefined) alone.push(change);
  }
  return alone;
}
