/** How a row ends: its entry is stored and the row goes, in one transaction; never shown twice, never missing between. */
import type { Entry } from '../../shared/entry.ts';
import { assertNever } from '../../shared/never.ts';
import type { UserWrite } from '../db/schema.ts';
import { holdLoose } from '../log/hold.ts';
import { ownText } from './held.ts';
import { changesIn, type Follower } from './queuedChanges.ts';
import type { Row } from './row.ts';

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
  const target = row.kind === 'text' ? undefined : await placeOf(tx, me, row);
  const entry = entryOf(row, target, { serverOffset, author: me, clientOffset: row.clientOffset, at });
  if (entry) await holdLoose(tx, row.room, [entry]); // else it changes nothing that is held, and comes as all entries do
  await tx.objectStore('rows').delete(row.seq);
}

async function placeOf(tx: UserWrite, me: string, { room, target, targetOffset }: Follower) {
  return targetOffset ?? (await ownText(tx, me, room, target))?.serverOffset;
}

type Placed = Pick<Entry, 'serverOffset' | 'author' | 'clientOffset' | 'at'>;

/** The entry that the server made of it; undefined where its target's place is not known. */
function entryOf(row: Row, target: number | undefined, placed: Placed): Entry | undefined {
  switch (row.kind) {
    case 'text':
      return { ...placed, kind: 'text', body: row.body };
    case 'edit':
      return target === undefined ? undefined : { ...placed, kind: 'edit', target, body: row.body };
    case 'delete':
      return target === undefined ? undefined : { ...placed, kind: 'delete', target };
    default:
      return assertNever(row);
  }
}

/** A row that came to its end, and where its entry stands. */
export interface Ended {
  row: Row;
  serverOffset: number;
}

/**
 * What still waits to change these now knows their place in the log; and what they made useless ends with them: an edit
 * before an edit that holds, which would come after it now and undo it, and with a deletion its text and all changes of
 * it. Once for all of them: it reads all changes that are queued in the room, and for each row of a long queue that would
 * take longer than a transaction may. True when one of these was parked: what changes it may go now.
 */
export async function tellFollowers(tx: UserWrite, room: string, ended: readonly Ended[]): Promise<boolean> {
  const rows = tx.objectStore('rows');
  const places = new Map<string, number>();
  const deleted = new Set<string>();
  const editedAt = new Map<string, number>();
  for (const { row, serverOffset } of ended) {
    if (row.kind === 'text') places.set(row.clientOffset, serverOffset);
    else if (row.kind === 'delete') deleted.add(row.target);
    else editedAt.set(row.target, Math.max(row.seq, editedAt.get(row.target) ?? 0));
  }
  for (const target of deleted) {
    const text = await rows.index('clientOffset').get(target);
    if (text?.kind === 'text' && text.room === room) await rows.delete(text.seq);
  }
  for (const row of await changesIn(tx, room)) {
    const { target, kind, seq } = row;
    const isUseless = deleted.has(target) || (kind === 'edit' && seq < (editedAt.get(target) ?? 0));
    if (isUseless) await rows.delete(seq);
    else if (places.has(target)) await rows.put({ ...row, targetOffset: places.get(target)! });
  }
  return ended.some(({ row }) => row.state.tag === 'parked');
}
