/**
 * Settles outbox rows: a row is deleted in the transaction that stores its entry, so the message never shows twice and
 * never disappears in between. For echoes (entries that arrive in the log) and for acknowledgements
 * (outbox/applyVerdicts.ts).
 */
import type { Entry } from '../../shared/entry.ts';
import {
  isCreationRow,
  isMessageRow,
  isRemovalRow,
  isReplacementRow,
  type Row,
  retried,
} from '../records/row.ts';
import { readFollowers } from './lookups.ts';
import type { UserWrite } from './userDatabase.ts';

/** Which rows were deleted. `parked`: some of them were parked, so rows that refer to them can be sent now. */
export type Settled = 'nothing' | 'rows' | 'parked';

/** A deleted row, and the serverOffset of its entry. */
export interface SettledRow {
  row: Row;
  serverOffset: number;
}

/** Deletes the rows whose entries these are. The caller stores the entries in the same transaction. */
export async function settleEchoes(
  tx: UserWrite,
  me: string,
  room: string,
  entries: readonly Entry[],
): Promise<Settled> {
  const rows = tx.objectStore('rows');
  const settled: SettledRow[] = [];
  const own = entries.filter(({ author }) => author === me);
  const found = await Promise.all(own.map((entry) => rows.index('clientOffset').get(entry.clientOffset)));
  for (const [i, row] of found.entries()) {
    if (row?.room !== room) continue;
    void rows.delete(row.seq).catch(() => {}); // a failure aborts the transaction
    settled.push({ row, serverOffset: own[i]!.serverOffset });
  }
  if (settled.length === 0) return 'nothing';
  return (await settleDependents(tx, room, settled)) ? 'parked' : 'rows';
}

/**
 * Updates the rows that refer to the same messages as the settled rows. Rows about a settled message get its serverOffset.
 * Obsolete rows are deleted: a replacement queued before a settled one, which would undo it if sent later; and after a
 * settled removal, the message's own row and all rows about it except messages. True if a settled row was parked: rows
 * about it can be sent now.
 *
 * Call it once for all rows of a room: it reads all followers of the room, and once for each row of a long queue would
 * exceed the time limit of a transaction.
 */
export async function settleDependents(
  tx: UserWrite,
  room: string,
  settled: readonly SettledRow[],
): Promise<boolean> {
  const rows = tx.objectStore('rows');
  const offsets = new Map<string, number>();
  const removed = new Set<string>();
  const replacedAt = new Map<string, number>();
  for (const { row, serverOffset } of settled) {
    if (isRemovalRow(row)) removed.add(row.target);
    else if (isReplacementRow(row))
      replacedAt.set(row.target, Math.max(row.seq, replacedAt.get(row.target) ?? 0));
    else offsets.set(row.clientOffset, serverOffset);
  }
  for (const target of removed) {
    const message = await rows.index('clientOffset').get(target);
    if (message && isMessageRow(message) && message.room === room) await rows.delete(message.seq);
  }
  for (const row of await readFollowers(tx, room)) {
    const { target, seq } = row;
    const isObsolete =
      (removed.has(target) && !isMessageRow(row)) ||
      (isReplacementRow(row) && seq < (replacedAt.get(target) ?? 0));
    if (isObsolete) await rows.delete(seq);
    else if (offsets.has(target)) await rows.put({ ...row, targetOffset: offsets.get(target)! });
  }
  return settled.some(({ row }) => row.state.tag === 'parked');
}

/** The row, parked because the row that makes its room is. It was never sent. */
export function parkedWithRoom(row: Row): Row {
  return { ...row, state: { tag: 'parked', reason: { code: NO_ROOM }, uncertain: false } };
}

export function isParkedWithRoom({ state }: Row): boolean {
  return state.tag === 'parked' && state.reason.code === NO_ROOM;
}

const NO_ROOM = 'room-not-made';

/** The row that makes this room, if it is parked. */
export async function parkedCreation(tx: UserWrite, room: string): Promise<Row | undefined> {
  const rows = await tx.objectStore('rows').index('unshown').getAll([room, 1]);
  return rows.find((row) => isCreationRow(row) && row.state.tag === 'parked');
}

/** Tries again all rows that were parked with the row that makes their room. */
export async function retryWithRoom(tx: UserWrite, room: string): Promise<void> {
  const rows = tx.objectStore('rows');
  for (const row of await rows.index('room').getAll(room))
    if (isParkedWithRoom(row)) await rows.put(retried(row));
}

/** The server has the room: it was made, whatever the last answer about the row was. What was parked with that is sent. */
export async function settleCreation(tx: UserWrite, room: string): Promise<void> {
  const creation = await parkedCreation(tx, room);
  if (creation) await tx.objectStore('rows').delete(creation.seq);
  await retryWithRoom(tx, room);
}
