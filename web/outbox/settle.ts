/** How a row ends: its entry is stored and the row goes, in one transaction; never shown twice, never missing between. */
import type { Entry } from '../../shared/entry.ts';
import { assertNever } from '../../shared/never.ts';
import type { UserWrite } from '../db/schema.ts';
import { holdLoose } from '../log/hold.ts';
import type { Row } from './row.ts';

/** Ends the rows whose entries these are; the caller stores the entries in the same transaction. True if there were any. */
export async function settleEchoes(
  tx: UserWrite,
  me: string,
  room: string,
  entries: readonly Entry[],
): Promise<boolean> {
  const rows = tx.objectStore('rows');
  const places: Places = new Map();
  for (const entry of entries) {
    if (entry.author !== me) continue;
    const row = await rows.index('clientOffset').get(entry.clientOffset);
    if (row?.room !== room) continue;
    await rows.delete(row.seq);
    places.set(row.clientOffset, entry.serverOffset);
  }
  if (places.size > 0) await tellFollowers(tx, room, places);
  return places.size > 0;
}

/** Ends a row by the server's acknowledgement of it. The caller tells its followers, for all that were settled at once. */
export async function settleAcknowledged(
  tx: UserWrite,
  me: string,
  row: Row,
  serverOffset: number,
  at: number,
) {
  const entry = entryOf(row, { serverOffset, author: me, clientOffset: row.clientOffset, at });
  if (entry) {
    await holdLoose(tx, row.room, [entry]);
    await tx.objectStore('rows').delete(row.seq);
    return;
  }
  // A deletion of a text whose place we never learned: it was parked as uncertain, and is in the log. Both are over, and
  // come to be held as all entries do.
  const rows = tx.objectStore('rows');
  await rows.delete(row.seq);
  const target = row.kind === 'delete' && (await rows.index('clientOffset').get(row.target));
  if (target) await rows.delete(target.seq);
}

type Placed = Pick<Entry, 'serverOffset' | 'author' | 'clientOffset' | 'at'>;

/** The entry that the server made of it; undefined where its target's place is not known. */
function entryOf(row: Row, placed: Placed): Entry | undefined {
  switch (row.kind) {
    case 'text':
      return { ...placed, kind: 'text', body: row.body };
    case 'edit':
      if (row.targetOffset === undefined) return undefined;
      return { ...placed, kind: 'edit', target: row.targetOffset, body: row.body };
    case 'delete':
      if (row.targetOffset === undefined) return undefined;
      return { ...placed, kind: 'delete', target: row.targetOffset };
    default:
      return assertNever(row);
  }
}

/** Where in the log these stand now, by clientOffset. */
export type Places = Map<string, number>;

/**
 * What still waits to change these now knows their place in the log. Once for all of them: it reads all rows of the room,
 * and for each row of a long queue that would take longer than a transaction may.
 */
export async function tellFollowers(tx: UserWrite, room: string, places: Places): Promise<void> {
  const rows = tx.objectStore('rows');
  for (const row of await rows.index('room').getAll(room)) {
    const targetOffset = row.kind === 'text' ? undefined : places.get(row.target);
    if (targetOffset !== undefined) await rows.put({ ...row, targetOffset } as Row);
  }
}
