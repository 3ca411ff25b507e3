/** What a person does to the outbox. Each is one strict transaction: durable first, then shown, then tried (O1). */
import type { UserDatabase, UserWrite } from '../db/schema.ts';
import { type Draft, followsUnattempted, newRow, type Row, step } from './row.ts';

/**
 * Adds it behind everything. The same key twice is one row: a hung database may have stored it the first time. The text
 * that the room keeps as being written goes with it, where that is this one: killed between the two, the app would show
 * it queued and offer it again (O3).
 */
export function enqueue(db: UserDatabase, draft: Draft, isWritten = (_text: string) => false): Promise<void> {
  return db.write(['rows', 'drafts'], async (tx) => {
    await add(tx, draft);
    const drafts = tx.objectStore('drafts');
    const written = await drafts.get(draft.room);
    if (written && isWritten(written.text)) await drafts.delete(draft.room);
  });
}

/** Tries a parked row again, under the same key. False when it is not parked any more. */
export function retry(db: UserDatabase, clientOffset: string): Promise<Row | undefined> {
  return withParked(db, clientOffset, async (tx, row) => {
    await tx.objectStore('rows').put(step(row, { type: 'retried' }));
  });
}

/**
 * Changes a parked text. One that was refused becomes a new row, with a new key, in its place; one that may be in the log
 * is tried again as it is, with the change as an edit behind it.
 */
export function amend(db: UserDatabase, clientOffset: string, body: string, key: string, at: number) {
  return withParked(db, clientOffset, async (tx, row) => {
    const rows = tx.objectStore('rows');
    if (row.kind === 'delete') return;
    if (isUncertain(row)) {
      await rows.put(step(row, { type: 'retried' }));
      const target = row.kind === 'text' ? row.clientOffset : row.target;
      await add(tx, { kind: 'edit', target, body, room: row.room, clientOffset: key, at });
      return;
    }
    await rows.put({ ...newRow({ ...row, body, clientOffset: key, at }), seq: row.seq } as Row);
    await repoint(tx, row, key);
  });
}

/** A change to a text of one's own, wherever it is by now. `key` and `at` are those of the change, if it takes a row. */
export interface Change {
  room: string;
  /** clientOffset of the text. */
  target: string;
  /** Where its entry is held, if it is. */
  targetOffset: number | undefined;
  key: string;
  at: number;
}

/** In place while nobody can have it, else by an edit behind it (O4). False when it is neither a row nor held. */
export function edit(db: UserDatabase, me: string, change: Change, body: string): Promise<boolean> {
  return db.write(['rows', 'entries', 'loose'], async (tx) => {
    const { room, target, key: clientOffset, at } = change;
    const row = await rowOf(tx, change);
    if (row && isUnsent(row)) {
      await tx.objectStore('rows').put({ ...newRow({ ...row, body }), seq: row.seq } as Row);
      return true;
    }
    const place = await placeOf(tx, me, change);
    if (!row && !place) return false;
    await add(tx, { kind: 'edit', target, ...place, body, room, clientOffset, at });
    return true;
  });
}

/** Gone if nobody can have it, else by a deletion behind it. False when it is neither a row nor held. */
export function removeText(db: UserDatabase, me: string, change: Change): Promise<boolean> {
  return db.write(['rows', 'entries', 'loose'], async (tx) => {
    const { room, target, key: clientOffset, at } = change;
    const row = await rowOf(tx, change);
    if (row && isUnsent(row)) {
      await remove(tx, row);
      return true;
    }
    const place = await placeOf(tx, me, change);
    if (!row && !place) return false;
    await add(tx, { kind: 'delete', target, ...place, room, clientOffset, at });
    return true;
  });
}

async function rowOf(tx: UserWrite, { room, target }: Change): Promise<(Row & { kind: 'text' }) | undefined> {
  const row = await tx.objectStore('rows').index('clientOffset').get(target);
  return row?.kind === 'text' && row.room === room ? row : undefined;
}

/** Never under way, or refused for good: nobody else can have it. */
function isUnsent(row: Row): boolean {
  return row.state.tag === 'parked' ? !row.state.uncertain : !row.attempted;
}

/** Where it stands, if it is a text of one's own that is held and not deleted. */
async function placeOf(tx: UserWrite, me: string, { room, target, targetOffset }: Change) {
  if (targetOffset === undefined) return undefined;
  const at: [string, number] = [room, targetOffset];
  const held = (await tx.objectStore('entries').get(at)) ?? (await tx.objectStore('loose').get(at));
  const isIt = held?.kind === 'text' && held.author === me && held.clientOffset === target && 'body' in held;
  return isIt ? { targetOffset } : undefined;
}

/** Gives a parked row up. One that may be in the log is deleted there. */
export function discard(db: UserDatabase, clientOffset: string, key: string, at: number) {
  return withParked(db, clientOffset, async (tx, row) => {
    if (isUncertain(row) && row.kind === 'text') {
      await add(tx, { kind: 'delete', target: row.clientOffset, room: row.room, clientOffset: key, at });
      return;
    }
    await remove(tx, row);
  });
}

/** A row and what was queued to change it, as far as that was not sent. */
export async function remove(tx: UserWrite, row: Row): Promise<void> {
  const rows = tx.objectStore('rows');
  await rows.delete(row.seq);
  for (const other of await rows.index('room').getAll(row.room)) {
    if (followsUnattempted(other, row.clientOffset)) await rows.delete(other.seq);
  }
}

/** What was queued to change `row` and was not sent yet changes the one with the new key instead. */
export async function repoint(tx: UserWrite, row: Row, key: string): Promise<void> {
  const rows = tx.objectStore('rows');
  for (const other of await rows.index('room').getAll(row.room)) {
    if (followsUnattempted(other, row.clientOffset)) await rows.put({ ...other, target: key } as Row);
  }
}

async function add(tx: UserWrite, draft: Draft): Promise<void> {
  const rows = tx.objectStore('rows');
  if (await rows.index('clientOffset').getKey(draft.clientOffset)) return;
  await rows.add(newRow(draft) as Row); // the store gives it its `seq`
}

/** Does `work` with the parked row and returns it; undefined when it is not there or not parked any more. */
async function withParked(
  db: UserDatabase,
  clientOffset: string,
  work: (tx: UserWrite, row: Row) => Promise<void>,
): Promise<Row | undefined> {
  return db.write(['rows'], async (tx) => {
    const row = await tx.objectStore('rows').index('clientOffset').get(clientOffset);
    if (row?.state.tag !== 'parked') return undefined;
    await work(tx, row);
    return row;
  });
}

function isUncertain(row: Row): boolean {
  return row.state.tag === 'parked' && row.state.uncertain;
}
