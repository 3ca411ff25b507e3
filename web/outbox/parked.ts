/** What a person does to what was not sent. Each is one strict transaction. */
import type { UserDatabase, UserWrite } from '../db/schema.ts';
import { addDelete, addEdit, type Change, followersOf, remove, rewrite } from './followers.ts';
import { isChange, isMessageRow, isRemovalRow, isUncertain, type Row, step } from './row.ts';

/** Tries a parked row again, under the same key, and what was not sent of its changes. Undefined when it is not parked. */
export function retry(db: UserDatabase, clientOffset: string): Promise<Row | undefined> {
  return withParked(db, clientOffset, async (tx, row) => {
    const followers = await followersOf(tx, row.room, row.clientOffset);
    const parked = followers.filter(({ state }) => state.tag === 'parked');
    for (const each of [row, ...parked]) await tx.objectStore('rows').put(step(each, { type: 'retried' }));
    return true;
  });
}

/**
 * Changes a parked text. One that was refused becomes a new row, with a new key, in its place; one that may be in the log
 * is tried again as it is, with the change as an edit behind it. A deletion that was refused gives way to the text.
 */
export function amend(db: UserDatabase, clientOffset: string, body: string, key: string, at: number) {
  return withParked(db, clientOffset, async (tx, row) => {
    if (row.body === undefined && !isRemovalRow(row)) return false; // there is no text to be changed
    if (!isUncertain(row)) {
      await rewrite(tx, row, body, key, at);
      return true;
    }
    const followers = await followersOf(tx, row.room, row.clientOffset);
    if ([row, ...followers].some(isRemovalRow)) return false; // the text may be gone already
    if (isMessageRow(row)) await tx.objectStore('rows').put(step(row, { type: 'retried' }));
    await addEdit(tx, changeOf(row, key, at), body);
    return true;
  });
}

/** Gives a parked row up. A message that may be in the log is deleted there; of a change the message stays as the log has it. */
export function discard(db: UserDatabase, clientOffset: string, key: string, at: number) {
  return withParked(db, clientOffset, async (tx, row) => {
    if (isUncertain(row) && isMessageRow(row)) await addDelete(tx, changeOf(row, key, at));
    else await remove(tx, row);
    return true;
  });
}

function changeOf(row: Row, key: string, at: number): Change {
  const { room } = row;
  if (isChange(row)) return { room, target: row.target, targetOffset: row.targetOffset, key, at };
  return { room, target: row.clientOffset, targetOffset: undefined, key, at };
}

/** The parked row, if `work` could do it; undefined also when it is not there or not parked any more. */
async function withParked(
  db: UserDatabase,
  clientOffset: string,
  work: (tx: UserWrite, row: Row) => Promise<boolean>,
): Promise<Row | undefined> {
  return db.write(['rows'], async (tx) => {
    const row = await tx.objectStore('rows').index('clientOffset').get(clientOffset);
    if (row?.state.tag !== 'parked') return undefined;
    return (await work(tx, row)) ? row : undefined;
  });
}
