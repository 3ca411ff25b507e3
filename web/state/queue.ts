/** What of one room's outbox shows as messages of their own, by counts and keys: the rows themselves are read as they are looked at. */
import type { UserRead } from '../db/schema.ts';
import { heldTargets } from '../outbox/held.ts';
import { changesIn, followersIn } from '../outbox/queuedChanges.ts';
import {
  type Follower,
  isChange,
  isMessageRow,
  isRefused,
  isReplacementRow,
  isWaiting,
  type Row,
} from '../outbox/row.ts';
import { lastChanges } from './messages.ts';

export interface Queue {
  /** Messages, changes whose message stands nowhere, and what was not sent, by `seq`, in order. */
  seqs: readonly number[];
  /** All changes, in order. */
  changes: readonly Follower[];
}

export async function readQueue(tx: UserRead, room: string): Promise<Queue> {
  const changes = await changesIn(tx, room);
  const alone = new Set((await withoutText(tx, changes)).map(({ seq }) => seq));
  const hidden = new Set(changes.map(({ seq }) => seq).filter((seq) => !alone.has(seq)));
  for (const row of await unshownIn(tx, room)) if (isWaiting(row)) hidden.add(row.seq);
  const all = await tx.objectStore('rows').index('room').getAllKeys(room);
  return { seqs: hidden.size === 0 ? all : all.filter((seq) => !hidden.has(seq)), changes };
}

/** Those that are there, in the order asked for. */
export async function rowsAt(tx: UserRead, seqs: readonly number[]): Promise<Row[]> {
  const rows = await Promise.all(seqs.map((seq) => tx.objectStore('rows').get(seq)));
  return rows.filter((row) => row !== undefined);
}

export interface Counts {
  messages: number;
  /** Rows that go by themselves, and those that do not. */
  waiting: number;
  notSent: number;
}

/** Of one room, or of all. What is about a refused message goes when a person says what becomes of that: it does not wait. */
export async function countRows(tx: UserRead, room?: string): Promise<Counts> {
  const rows = tx.objectStore('rows');
  const parked = room === undefined ? IDBKeyRange.bound(['parked'], ['parked', []]) : ['parked', room];
  const followers = await followersIn(tx, room);
  const all = await (room === undefined ? rows.count() : rows.index('room').count(room));
  const notSent = await rows.index('state').count(parked as IDBKeyRange);
  let behind = 0;
  for (const row of followers) {
    const message = isWaiting(row) && (await rows.index('clientOffset').get(row.target));
    if (message && isRefused(message)) behind++;
  }
  const unshown = await unshownIn(tx, room);
  const messages = all - followers.filter(isChange).length - unshown.length;
  return { messages, waiting: all - notSent - behind, notSent };
}

/** The message of the room that was queued last. */
export async function lastMessage(tx: UserRead, room: string): Promise<Row | undefined> {
  let cursor = await tx.objectStore('rows').index('room').openCursor(room, 'prev');
  while (cursor && !isMessageRow(cursor.value)) cursor = await cursor.continue();
  return cursor?.value;
}

/** Of one room, or of all: what is neither a message nor a change of one. */
function unshownIn(tx: UserRead, room?: string): Promise<Row[]> {
  const range = room === undefined ? undefined : IDBKeyRange.only([room, 1]);
  return tx.objectStore('rows').index('unshown').getAll(range);
}

/**
 * Nothing of one's own is missing: a change whose message is not held is a message of its own, and so is one that was not
 * sent, unless its message is in view (O3, O4).
 */
async function withoutText(tx: UserRead, changes: readonly Follower[]): Promise<Follower[]> {
  const held = await heldTargets(tx, changes);
  const alone: Follower[] = [];
  for (const change of lastChanges(changes)) {
    const shows = !isWaiting(change) || (isReplacementRow(change) && !held.has(change.target));
    const message = shows && (await tx.objectStore('rows').index('clientOffset').getKey(change.target));
    if (shows && message === undefined) alone.push(change);
  }
  return alone;
}
