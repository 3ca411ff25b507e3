/** Rows that are about a message which stands before them in the outbox or in the log. All within the caller's transaction. */
import type { UserWrite } from '../db/schema.ts';
import {
  type Draft,
  type Follower,
  isChange,
  isMessageRow,
  isRemovalRow,
  isReplacementRow,
  isUnderWay,
  isUnsent,
  isWaiting,
  newRow,
  type Row,
} from './row.ts';

/** A change to a text of one's own. `key` and `at` are those of the change, if it takes a row. */
export interface Change {
  room: string;
  /** clientOffset of the text. */
  target: string;
  /** Where its entry stands, if that is known. */
  targetOffset: number | undefined;
  key: string;
  at: number;
}

/** What is queued about that message, in order. */
export async function followersOf(tx: UserWrite, room: string, target: string): Promise<Follower[]> {
  const rows = await tx
    .objectStore('rows')
    .index('target')
    .getAll(IDBKeyRange.only([room, target]));
  return rows as Follower[];
}

/** Adds it behind everything. The same key twice is one row. */
export async function add(tx: UserWrite, draft: Draft): Promise<void> {
  const rows = tx.objectStore('rows');
  if (await rows.index('clientOffset').getKey(draft.clientOffset)) return;
  await rows.add(newRow(draft) as Row); // the store gives it its `seq`
}

/** Queues an edit behind what may have left: what has not, and what was not taken, says the same from now on (O4). */
export async function addEdit(tx: UserWrite, change: Change, body: string): Promise<void> {
  const last = (await followersOf(tx, change.room, change.target)).findLast(isReplacementRow);
  if (last && isWaiting(last) && last.body === body) return;
  if (last && isUnsent(last)) return rewrite(tx, last, body, change.key, change.at);
  if (last && !isUnderWay(last)) await tx.objectStore('rows').delete(last.seq);
  await add(tx, { ...contentOf(change), kind: 'edit', body });
}

/** Queues a deletion behind what is under way; other edits of the text are of no use any more. */
export async function addDelete(tx: UserWrite, change: Change): Promise<void> {
  for (const row of await followersOf(tx, change.room, change.target)) {
    if (isReplacementRow(row) && !isUnderWay(row)) await tx.objectStore('rows').delete(row.seq);
  }
  await add(tx, { ...contentOf(change), kind: 'delete' });
}

/**
 * Says something else in the place of a row that nobody has. One that was attempted gets a new key, since the old one
 * stands for what was sent; what was queued to change it is older than what is written now, and what else is about it is
 * about the new one.
 */
export async function rewrite(tx: UserWrite, row: Row, body: string, newKey: string, at: number) {
  const { seq, room, clientOffset, rekeyed } = row;
  const kept = row.attempted ? { clientOffset: newKey, at } : { rekeyed };
  const content = isRemovalRow(row) ? { ...row, kind: 'edit', body } : { ...row, body };
  await tx.objectStore('rows').put({ ...newRow(content), ...kept, seq } as Row);
  for (const change of (await followersOf(tx, room, clientOffset)).filter(isChange)) {
    await tx.objectStore('rows').delete(change.seq);
  }
  if (row.attempted) await repoint(tx, row, newKey);
}

/** A row that is not in the log, with all that was queued about it, but no message. */
export async function remove(tx: UserWrite, row: Row): Promise<void> {
  const rows = tx.objectStore('rows');
  await rows.delete(row.seq);
  for (const follower of await followersOf(tx, row.room, row.clientOffset))
    if (!isMessageRow(follower)) await rows.delete(follower.seq);
}

/** What was queued about `row` and was not sent yet is about the one with the new key instead. */
export async function repoint(tx: UserWrite, row: Row, key: string): Promise<void> {
  for (const follower of await followersOf(tx, row.room, row.clientOffset)) {
    if (!follower.attempted) await tx.objectStore('rows').put({ ...follower, target: key });
  }
}

function contentOf({ room, target, targetOffset, key, at }: Change) {
  return { room, target, clientOffset: key, at, ...(targetOffset === undefined ? {} : { targetOffset }) };
}
