/** What of one room's outbox shows as messages of their own, by counts and keys: the rows themselves are read as they are looked at. */
import type { UserRead } from '../db/schema.ts';
import { heldTargets } from '../outbox/held.ts';
import { changesIn, type Follower } from '../outbox/queuedChanges.ts';
import { isWaiting, type Row } from '../outbox/row.ts';
import { lastChanges } from './messages.ts';

export interface Queue {
  /** Texts, and changes whose text stands nowhere, by `seq`, in order. */
  seqs: readonly number[];
  /** All changes, in order. */
  changes: readonly Follower[];
}

export async function readQueue(tx: UserRead, room: string): Promise<Queue> {
  const changes = await changesIn(tx, room);
  const alone = new Set((await withoutText(tx, changes)).map(({ seq }) => seq));
  const hidden = new Set(changes.map(({ seq }) => seq).filter((seq) => !alone.has(seq)));
  const all = await tx.objectStore('rows').index('room').getAllKeys(room);
  return { seqs: hidden.size === 0 ? all : all.filter((seq) => !hidden.has(seq)), changes };
}

/** Those that are there, in the order asked for. */
export async function rowsAt(tx: UserRead, seqs: readonly number[]): Promise<Row[]> {
  const rows = await Promise.all(seqs.map((seq) => tx.objectStore('rows').get(seq)));
  return rows.filter((row) => row !== undefined);
}

export interface Counts {
  texts: number;
  /** Rows that go by themselves, and those that do not. */
  waiting: number;
  notSent: number;
}

/** Of one room, or of all. What changes a refused text goes when a person says what becomes of that: it does not wait. */
export async function countRows(tx: UserRead, room?: string): Promise<Counts> {
  const rows = tx.objectStore('rows');
  const parked = room === undefined ? IDBKeyRange.bound(['parked'], ['parked', []]) : ['parked', room];
  const changes = await changesIn(tx, room);
  const all = await (room === undefined ? rows.count() : rows.index('room').count(room));
  const notSent = await rows.index('state').count(parked as IDBKeyRange);
  let behind = 0;
  for (const change of changes) {
    const text = isWaiting(change) && (await rows.index('clientOffset').get(change.target));
    if (text && text.state.tag === 'parked' && !text.state.uncertain) behind++;
  }
  return { texts: all - changes.length, waiting: all - notSent - behind, notSent };
}

/** The text of the room that was queued last. */
export async function lastText(tx: UserRead, room: string): Promise<(Row & { kind: 'text' }) | undefined> {
  let cursor = await tx.objectStore('rows').index('room').openCursor(room, 'prev');
  while (cursor && cursor.value.kind !== 'text') cursor = await cursor.continue();
  return cursor?.value.kind === 'text' ? cursor.value : undefined;
}

/**
 * Nothing of one's own is missing: a change whose text is not held is a message of its own, and so is one that was not
 * sent, unless its text is in view (O3, O4).
 */
async function withoutText(tx: UserRead, changes: readonly Follower[]): Promise<Follower[]> {
  const held = await heldTargets(tx, changes);
  const alone: Follower[] = [];
  for (const change of lastChanges(changes).values()) {
    const shows = change.state.tag === 'parked' || (change.kind === 'edit' && !held.has(change.target));
    const text = shows && (await tx.objectStore('rows').index('clientOffset').getKey(change.target));
    if (shows && text === undefined) alone.push(change);
  }
  return alone;
}
