/**
 * What a person does to a message of their own, wherever it is by now: decided by what the transaction reads, never by what
 * the screen showed (O4).
 */
import type { UserDatabase, UserWrite } from '../db/schema.ts';
import { addDelete, addEdit, type Change, followersOf, remove, rewrite } from './followers.ts';
import { entryAt, type HeldMessage, heldMessage } from './held.ts';
import {
  type Follower,
  isMessageRow,
  isRemovalRow,
  isReplacementRow,
  isUncertain,
  isUnsent,
  isWaiting,
  type Row,
  step,
} from './row.ts';

/** In place while nobody can have it, else by an edit behind it. False when there is no such text, or not any more. */
export function edit(db: UserDatabase, me: string, asked: Change, body: string): Promise<boolean> {
  return db.write(STORES, async (tx) => {
    const found = await find(tx, me, asked);
    if (!found || isDeleted(found)) return false;
    const { row, held, followers, change } = found;
    const known = row ?? held;
    if (known && known.body === undefined) return false; // only a text is edited
    const refusedDeletion = followers.find(isRemovalRow);
    if (refusedDeletion) await tx.objectStore('rows').delete(refusedDeletion.seq);
    if (row && isUnsent(row)) {
      await rewrite(tx, row, body, change.key, change.at);
      return true;
    }
    if (row?.state.tag === 'parked') await tx.objectStore('rows').put(step(row, { type: 'retried' }));
    const isEdited = followers.some(isReplacementRow);
    if (isEdited || body !== known?.body) await addEdit(tx, change, body);
    return true;
  });
}

/** Gone if nobody can have it, else by a deletion behind it. False when there is no such message. */
export function removeMessage(db: UserDatabase, me: string, asked: Change): Promise<boolean> {
  return db.write(STORES, async (tx) => {
    const found = await find(tx, me, asked);
    if (!found) return false;
    const { row, followers, change } = found;
    const deletion = followers.find(isRemovalRow);
    if (deletion?.state.tag === 'parked')
      await tx.objectStore('rows').put(step(deletion, { type: 'retried' }));
    else if (isDeleted(found)) return true;
    else if (row && isUnsent(row)) await remove(tx, row);
    else await addDelete(tx, change);
    return true;
  });
}

const STORES = ['rows', 'log', 'detached', 'logSpans'] as const;

interface Found {
  row: Row | undefined;
  held: HeldMessage | undefined;
  followers: Follower[];
  /** What was asked, with the place that the database knows. */
  change: Change;
}

/** One that was shown, and that a log which was put back or forgotten took from here, is still known to the server by its key. */
async function find(tx: UserWrite, me: string, asked: Change): Promise<Found | undefined> {
  const { room, target, targetOffset: hint } = asked;
  const keyed = await tx.objectStore('rows').index('clientOffset').get(target);
  const row = keyed && isMessageRow(keyed) && keyed.room === room ? keyed : undefined;
  const held = row ? undefined : await heldMessage(tx, me, room, target, hint);
  const followers = await followersOf(tx, room, target);
  const isGone = hint !== undefined && !(await entryAt(tx, room, hint));
  if (!row && !held && followers.length === 0 && !isGone) return undefined;
  return { row, held, followers, change: { ...asked, targetOffset: held?.serverOffset } };
}

/** Here, there, or as soon as what waits has arrived. */
function isDeleted({ held, followers }: Found): boolean {
  if (held?.isDeleted) return true;
  return followers.some((row) => isRemovalRow(row) && (isWaiting(row) || isUncertain(row)));
}
