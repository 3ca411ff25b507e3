/** Outbox rows that amend a message, which is in the log or an earlier row. All within the caller's transaction. */
import type { Mention } from '../../shared/entry.ts';
import type { UserWrite } from '../db/userDatabase.ts';
import {
  type Follower,
  isAmendmentRow,
  isMessageRow,
  isRemovalRow,
  isReplacementRow,
  isUnderWay,
  isUnsent,
  isWaiting,
  type NewItem,
  newRow,
  type Row,
} from '../records/row.ts';

/** An edit or deletion of an own text. `key` and `at` are for the row of the amendment, if one is queued. */
export interface AmendmentRequest {
  room: string;
  /** The clientOffset of the text. */
  target: string;
  /** The serverOffset of its entry, if known. */
  targetOffset: number | undefined;
  key: string;
  at: number;
}

/** The queued rows that refer to a message, in order. */
export async function followersOf(tx: UserWrite, room: string, target: string): Promise<Follower[]> {
  const rows = await tx
    .objectStore('rows')
    .index('target')
    .getAll(IDBKeyRange.only([room, target]));
  return rows as Follower[];
}

/** Adds a row at the end. Idempotent by key. */
export async function addRow(tx: UserWrite, item: NewItem): Promise<void> {
  const rows = tx.objectStore('rows');
  if (await rows.index('clientOffset').getKey(item.clientOffset)) return;
  await rows.add(newRow(item) as Row); // the store gives it its `seq`
}

/**
 * Queues an edit behind rows that may have reached the server. A last edit that was never sent, or was refused, is changed
 * in place instead (O4).
 */
export async function addEdit(tx: UserWrite, change: AmendmentRequest, body: string): Promise<void> {
  const last = (await followersOf(tx, change.room, change.target)).findLast(isReplacementRow);
  if (last && isWaiting(last) && last.body === body) return;
  if (last && isUnsent(last)) return replaceContent(tx, last, body, change.key, change.at);
  if (last && !isUnderWay(last)) await tx.objectStore('rows').delete(last.seq);
  await addRow(tx, { ...contentOf(change), kind: 'edit', body });
}

/** Queues a deletion behind rows that may have reached the server, and deletes other queued edits of the text. */
export async function addDelete(tx: UserWrite, change: AmendmentRequest): Promise<void> {
  for (const row of await followersOf(tx, change.room, change.target)) {
    if (isReplacementRow(row) && !isUnderWay(row)) await tx.objectStore('rows').delete(row.seq);
  }
  await addRow(tx, { ...contentOf(change), kind: 'delete' });
}

/**
 * Replaces the text of a row that no other device can have seen. A row that was attempted gets a new key, since the old key
 * belongs to the text that was sent. Queued amendments of the row are older than the new text and are deleted; its other
 * followers refer to the new key.
 */
export async function replaceContent(tx: UserWrite, row: Row, body: string, newKey: string, at: number) {
  const { seq, room, clientOffset, rekeyed } = row;
  const kept = row.attempted ? { clientOffset: newKey, at } : { rekeyed };
  const content = isRemovalRow(row) ? { ...row, kind: 'edit', body } : { ...withMentionsOf(row, body), body };
  await tx.objectStore('rows').put({ ...newRow(content), ...kept, seq } as Row);
  for (const change of (await followersOf(tx, room, clientOffset)).filter(isAmendmentRow)) {
    await tx.objectStore('rows').delete(change.seq);
  }
  if (row.attempted) await retarget(tx, row, newKey);
}

/** The row without the mentions whose names are not in the text any more. */
function withMentionsOf(row: Row, body: string): Row {
  const { mentions, ...fields } = (row.fields ?? {}) as { mentions?: readonly Mention[] };
  if (!mentions) return row;
  const left = mentions.filter(({ name }) => body.includes(`@${name}`));
  return { ...row, fields: left.length > 0 ? { ...fields, mentions: left } : fields };
}

/** Deletes a row that is not in the log, and its followers, except those that are messages. */
export async function removeWithPending(tx: UserWrite, row: Row): Promise<void> {
  const rows = tx.objectStore('rows');
  await rows.delete(row.seq);
  for (const follower of await followersOf(tx, row.room, row.clientOffset))
    if (!isMessageRow(follower)) await rows.delete(follower.seq);
}

/** Followers of `row` that were never sent refer to its new key from now on. */
export async function retarget(tx: UserWrite, row: Row, key: string): Promise<void> {
  for (const follower of await followersOf(tx, row.room, row.clientOffset)) {
    if (!follower.attempted) await tx.objectStore('rows').put({ ...follower, target: key });
  }
}

function contentOf({ room, target, targetOffset, key, at }: AmendmentRequest) {
  return { room, target, clientOffset: key, at, ...(targetOffset === undefined ? {} : { targetOffset }) };
}
