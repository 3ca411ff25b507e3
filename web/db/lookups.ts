/** Lookups that log, outbox and state share. */
import { type Follower, isAmendmentRow } from '../records/row.ts';
import { cursorOf, type Span } from '../records/spans.ts';
import { keysOfRoom, type UserRead, type UserWrite } from './userDatabase.ts';

/** The spans of a room's log, ascending. */
export async function readSpans(tx: UserRead | UserWrite, room: string): Promise<Span[]> {
  return tx.objectStore('logSpans').getAll(keysOfRoom(room));
}

export async function readCursor(tx: UserRead | UserWrite, room: string): Promise<number> {
  return cursorOf(await readSpans(tx, room));
}

/**
 * Outbox rows that refer to a message, of one room or of all, in sending order. By index: a long queue is not read for
 * the few of them.
 */
export async function readFollowers(tx: UserRead | UserWrite, room?: string): Promise<Follower[]> {
  const range = room === undefined ? undefined : IDBKeyRange.bound([room], [room, []]);
  const rows = await tx.objectStore('rows').index('target').getAll(range);
  return (rows as Follower[]).sort((a, b) => a.seq - b.seq);
}

/** The followers that replace or remove the message's content. */
export async function readAmendments(tx: UserRead | UserWrite, room?: string): Promise<Follower[]> {
  return (await readFollowers(tx, room)).filter(isAmendmentRow);
}
