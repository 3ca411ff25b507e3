/**
 * What the user does to messages of their own: edit, delete, and retry, change or discard what was not sent. Each is one
 * strict transaction that decides by what it reads, never by what the screen showed (O4).
 */
import { checkNewName } from '../../shared/text.ts';
import { isParkedWithRoom, parkedCreation, retryWithRoom } from '../db/settleRows.ts';
import type { UserDatabase, UserWrite } from '../db/userDatabase.ts';
import { entryAt, findOwnText, type OwnText } from '../log/read/findOwnText.ts';
import type { Reason } from '../records/errorReason.ts';
import {
  type Follower,
  isAmendmentRow,
  isCreationRow,
  isMessageRow,
  isRemovalRow,
  isReplacementRow,
  isUncertain,
  isUnsent,
  isWaiting,
  newRow,
  type Row,
  retried,
} from '../records/row.ts';
import {
  type AmendmentRequest,
  addDelete,
  addEdit,
  followersOf,
  removeWithPending,
  replaceContent,
} from './pendingAmendments.ts';

/**
 * Edits a text: in place if no other device can have seen it, else by a queued edit. False if the text does not exist or is
 * deleted.
 */
export function edit(db: UserDatabase, me: string, asked: AmendmentRequest, body: string): Promise<boolean> {
  return db.write(STORES, async (tx) => {
    const found = await find(tx, me, asked);
    if (!found || isDeleted(found)) return false;
    const { row, storedText, followers, change } = found;
    const known = row ?? storedText;
    if (known && known.body === undefined) return false; // only a text is edited
    const refusedDeletion = followers.find(isRemovalRow);
    if (refusedDeletion) await tx.objectStore('rows').delete(refusedDeletion.seq);
    if (row && isUnsent(row)) {
      await replaceContent(tx, row, body, change.key, change.at);
      return true;
    }
    if (row?.state.tag === 'parked') await tx.objectStore('rows').put(retried(row));
    const isEdited = followers.some(isReplacementRow);
    if (isEdited || body !== known?.body) await addEdit(tx, change, body);
    return true;
  });
}

/** Deletes a message: its row if no other device can have seen it, else by a queued deletion. False if it does not exist. */
export function removeMessage(db: UserDatabase, me: string, asked: AmendmentRequest): Promise<boolean> {
  return db.write(STORES, async (tx) => {
    const found = await find(tx, me, asked);
    if (!found) return false;
    const { row, followers, change } = found;
    const deletion = followers.find(isRemovalRow);
    if (deletion?.state.tag === 'parked') await tx.objectStore('rows').put(retried(deletion));
    else if (isDeleted(found)) return true;
    else if (row && isUnsent(row)) await removeWithPending(tx, row);
    else await addDelete(tx, change);
    return true;
  });
}

/**
 * Retries a parked row and its parked followers, under the same keys. Where its room was not made, that is tried again with all
 * that waits for it. Undefined if it is no longer parked.
 */
export function retry(db: UserDatabase, clientOffset: string): Promise<Row | undefined> {
  return withParked(db, clientOffset, async (tx, row) => {
    if (isCreationRow(row) || isParkedWithRoom(row)) {
      const creation = await parkedCreation(tx, row.room);
      if (creation) await tx.objectStore('rows').put(retried(creation));
      await retryWithRoom(tx, row.room);
      return true;
    }
    const followers = await followersOf(tx, row.room, row.clientOffset);
    const parked = followers.filter(({ state }) => state.tag === 'parked');
    for (const each of [row, ...parked]) await tx.objectStore('rows').put(retried(each));
    return true;
  });
}

/**
 * Changes the text of a parked row. A refused row is replaced in its place by one with a new key. A row that may be in the
 * log is retried unchanged, with an edit queued behind it. A refused deletion becomes an edit. Undefined if it is no longer
 * parked, or has no text.
 *
 * Of a row that makes a room, `body` is the new name of the room: where that may have been made under the old one, nothing changes.
 */
export function amend(db: UserDatabase, clientOffset: string, body: string, key: string, at: number) {
  return withParked(db, clientOffset, async (tx, row) => {
    if (isCreationRow(row)) return !isUncertain(row) && renameCreation(tx, row, body, key);
    if (row.body === undefined && !isRemovalRow(row)) return false; // has no text
    if (!isUncertain(row)) {
      await replaceContent(tx, row, body, key, at);
      return true;
    }
    const followers = await followersOf(tx, row.room, row.clientOffset);
    if ([row, ...followers].some(isRemovalRow)) return false; // the text may be deleted already
    if (isMessageRow(row)) await tx.objectStore('rows').put(retried(row));
    await addEdit(tx, changeOf(row, key, at), body);
    return true;
  });
}

/**
 * Discards a parked row. A message that may be in the log is deleted there by a queued deletion; after a discarded amendment
 * the message stays as it is in the log. With a row that makes a room goes all that was written there, and the room. Undefined if
 * it is no longer parked.
 */
export function discard(db: UserDatabase, clientOffset: string, key: string, at: number) {
  return withParked(db, clientOffset, async (tx, row) => {
    if (isCreationRow(row)) await discardRoom(tx, row.room);
    else if (isUncertain(row) && isMessageRow(row)) await addDelete(tx, changeOf(row, key, at));
    else await removeWithPending(tx, row);
    return true;
  });
}

const STORES = ['rows', 'log', 'detached', 'logSpans'] as const;

interface Found {
  row: Row | undefined;
  storedText: OwnText | undefined;
  followers: Follower[];
  /** The request, with the stored serverOffset of the message. */
  change: AmendmentRequest;
}

/**
 * A message that was on the screen may have been deleted here since, with its log. The server still knows it by its key, so
 * it counts as found.
 */
async function find(tx: UserWrite, me: string, asked: AmendmentRequest): Promise<Found | undefined> {
  const { room, target, targetOffset: hint } = asked;
  const keyed = await tx.objectStore('rows').index('clientOffset').get(target);
  const row = keyed && isMessageRow(keyed) && keyed.room === room ? keyed : undefined;
  const storedText = row ? undefined : await findOwnText(tx, me, room, target, hint);
  const followers = await followersOf(tx, room, target);
  const isGone = hint !== undefined && !(await entryAt(tx, room, hint));
  if (!row && !storedText && followers.length === 0 && !isGone) return undefined;
  return { row, storedText, followers, change: { ...asked, targetOffset: storedText?.serverOffset } };
}

/** Deleted in the stored log, or by a queued deletion. */
function isDeleted({ storedText, followers }: Found): boolean {
  if (storedText?.isDeleted) return true;
  return followers.some((row) => isRemovalRow(row) && (isWaiting(row) || isUncertain(row)));
}

function changeOf(row: Row, key: string, at: number): AmendmentRequest {
  const { room } = row;
  if (isAmendmentRow(row)) return { room, target: row.target, targetOffset: row.targetOffset, key, at };
  return { room, target: row.clientOffset, targetOffset: undefined, key, at };
}

/** Runs `work` with a parked row. Undefined if it does not exist, is not parked, or `work` returns false. */
async function withParked(
  db: UserDatabase,
  clientOffset: string,
  work: (tx: UserWrite, row: Row) => Promise<boolean>,
): Promise<Row | undefined> {
  return db.write(['rows', 'rooms', 'drafts'], async (tx) => {
    const row = await tx.objectStore('rows').index('clientOffset').get(clientOffset);
    if (row?.state.tag !== 'parked') return undefined;
    return (await work(tx, row)) ? row : undefined;
  });
}

/** Tries to make the room under another name. A row that was attempted gets a new key: the old one belongs to the old name. */
async function renameCreation(tx: UserWrite, row: Row, raw: string, key: string): Promise<boolean> {
  const name = checkNewName(raw);
  const fields = { ...row.fields, name: name.ok ? name.text : raw };
  const { seq, room, attempted, clientOffset } = row;
  const next = { ...newRow({ ...row, fields, clientOffset: attempted ? key : clientOffset }), seq } as Row;
  const refused = name.ok
    ? next.state
    : { tag: 'parked' as const, reason: reasonFrom(name), uncertain: false };
  await tx.objectStore('rows').put({ ...next, state: refused });
  const stored = await tx.objectStore('rooms').get(room);
  if (stored) await tx.objectStore('rooms').put({ ...stored, name: fields.name });
  if (name.ok) await retryWithRoom(tx, room);
  return true;
}

function reasonFrom({ code, message }: { code: string; message: string }): Reason {
  return { code, message };
}

/** Deletes a room that was not made, with all that was written there. */
async function discardRoom(tx: UserWrite, room: string): Promise<void> {
  const rows = tx.objectStore('rows');
  for (const seq of await rows.index('room').getAllKeys(room)) await rows.delete(seq);
  await tx.objectStore('drafts').delete(room);
  await tx.objectStore('rooms').delete(room);
}
