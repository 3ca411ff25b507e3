/** How a row ends: its entry is stored and the row goes, in one transaction; never shown twice, never missing between. */
import type { Entry } from '../../shared/entry.ts';
import type { UserWrite } from '../db/schema.ts';
import { holdLoose } from '../log/hold.ts';
import { heldMessage } from './held.ts';
import { followersIn } from './queuedChanges.ts';
import { isMessageRow, isRemovalRow, isReplacementRow, type Row } from './row.ts';

/** What came to its end. `parked`: among them what was not sent, and what changes it is held up no more. */
export type Settled = 'nothing' | 'rows' | 'parked';

/** Ends the rows whose entries these are; the caller stores the entries in the same transaction. */
export async function settleEchoes(
  tx: UserWrite,
  me: string,
  room: string,
  entries: readonly Entry[],
): Promise<Settled> {
  const rows = tx.objectStore('rows');
  const ended: Ended[] = [];
  for (const entry of entries) {
    if (entry.author !== me) continue;
    const row = await rows.index('clientOffset').get(entry.clientOffset);
    if (row?.room !== room) continue;
    await rows.delete(row.seq);
    ended.push({ row, serverOffset: entry.serverOffset });
  }
  if (ended.length === 0) return 'nothing';
  return (await tellFollowers(tx, room, ended)) ? 'parked' : 'rows';
}

/** Ends a row by the server's acknowledgement of it. The caller tells its followers, for all that were settled at once. */
export async function settleAcknowledged(
  tx: UserWrite,
  me: string,
  row: Row,
  serverOffset: number,
  at: number,
) {
  const target = await placeOf(tx, me, row);
  const entry = entryOf(row, target, { serverOffset, author: me, clientOffset: row.clientOffset, at });
  if (entry) await holdLoose(tx, row.room, [entry]); // else it changes nothing that is held, and comes as all entries do
  await tx.objectStore('rows').delete(row.seq);
}

async function placeOf(tx: UserWrite, me: string, { room, target, targetAuthor = me, targetOffset }: Row) {
  if (target === undefined) return undefined;
  return targetOffset ?? (await heldMessage(tx, targetAuthor, room, target))?.serverOffset;
}

type Placed = Pick<Entry, 'serverOffset' | 'author' | 'clientOffset' | 'at'>;

/** The entry that the server made of it; undefined where that is about a message whose place is not known, and shows nothing. */
function entryOf(row: Row, target: number | undefined, placed: Placed): Entry | undefined {
  const { kind, body, fields } = row;
  if (row.target !== undefined && target === undefined && !isMessageRow(row)) return undefined;
  return {
    ...fields,
    ...placed,
    kind,
    ...(body === undefined ? {} : { body }),
    ...(target === undefined ? {} : { target }),
  } as Entry;
}

/** A row that came to its end, and where its entry stands. */
export interface Ended {
  row: Row;
  serverOffset: number;
}

/**
 * What still waits and is about these now knows their place in the log; and what they made useless ends with them: a
 * replacement before one that holds, which would come after it now and undo it, and with a removal its message and all that
 * is about it, but no message. Once for all of them: it reads all that is queued about messages of the room, and for each
 * row of a long queue that would take longer than a transaction may. True when one of these was parked: what is about it
 * may go now.
 */
export async function tellFollowers(tx: UserWrite, room: string, ended: readonly Ended[]): Promise<boolean> {
  const rows = tx.objectStore('rows');
  const places = new Map<string, number>();
  const removed = new Set<string>();
  const replacedAt = new Map<string, number>();
  for (const { row, serverOffset } of ended) {
    if (isRemovalRow(row)) removed.add(row.target);
    else if (isReplacementRow(row))
      replacedAt.set(row.target, Math.max(row.seq, replacedAt.get(row.target) ?? 0));
    else places.set(row.clientOffset, serverOffset);
  }
  for (const target of removed) {
    const message = await rows.index('clientOffset').get(target);
    if (message && isMessageRow(message) && message.room === room) await rows.delete(message.seq);
  }
  for (const row of await followersIn(tx, room)) {
    const { target, seq } = row;
    const isUseless =
      (removed.has(target) && !isMessageRow(row)) ||
      (isReplacementRow(row) && seq < (replacedAt.get(target) ?? 0));
    if (isUseless) await rows.delete(seq);
    else if (places.has(target)) await rows.put({ ...row, targetOffset: places.get(target)! });
  }
  return ended.some(({ row }) => row.state.tag === 'parked');
}
