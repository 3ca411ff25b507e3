/** Lookups that log, outbox and state share. */
import { type Follower, isAmendmentRow } from '../records/row.ts';
import { cursorOf, type Span } from '../records/spans.ts';
import { keysOfRoom, type UserRead, type UserSchema, type UserWrite } from './userDatabase.ts';

/** The answers of each read transaction. It reads one snapshot, so a second request would have the same answer. */
const answersOf = new WeakMap<object, Map<string, Promise<unknown>>>();

/** Makes a request once in a read transaction, whoever needs its answer. `key` names the request. */
export function askOnce<T>(tx: UserRead | UserWrite, key: string, ask: () => Promise<T>): Promise<T> {
  if (tx.mode !== 'readonly') return ask();
  const answers = answersOf.get(tx) ?? new Map<string, Promise<unknown>>();
  answersOf.set(tx, answers);
  const answer = (answers.get(key) as Promise<T> | undefined) ?? ask();
  answers.set(key, answer);
  return answer;
}

/** The spans of a room's log, ascending. */
export function readSpans(tx: UserRead | UserWrite, room: string): Promise<Span[]> {
  return askOnce(tx, `spans ${room}`, async () => tx.objectStore('logSpans').getAll(keysOfRoom(room)));
}

/** No entry of the room is stored outside its spans. */
export async function hasNoDetached(tx: UserRead, room: string): Promise<boolean> {
  const count = () => tx.objectStore('detached').count(keysOfRoom(room));
  return (await askOnce(tx, `detached ${room}`, count)) === 0;
}

/** How many rows the outbox has, of all rooms. */
export function countOutbox(tx: UserRead): Promise<number> {
  return askOnce(tx, 'rows', () => tx.objectStore('rows').count());
}

/** A record of one of the small stores. */
export function getOnce<Store extends 'users' | 'rooms' | 'marks'>(
  tx: UserRead,
  store: Store,
  key: string,
): Promise<UserSchema[Store]['value'] | undefined> {
  return askOnce(tx, `${store} ${key}`, () => tx.objectStore(store).get(key));
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
  const ask = () => tx.objectStore('rows').index('target').getAll(range);
  const rows = [...(await askOnce(tx, `followers ${room}`, ask))];
  return (rows as Follower[]).sort((a, b) => a.seq - b.seq);
}

/** The followers that replace or remove the message's content. */
export async function readAmendments(tx: UserRead | UserWrite, room?: string): Promise<Follower[]> {
  return (await readFollowers(tx, room)).filter(isAmendmentRow);
}
