/** A moderator deletes anybody's message: durable first, then shown, then sent (O1). */
import type { UserDatabase } from '../db/userDatabase.ts';
import { isRemovalRow, retried } from '../records/row.ts';
import { addRow, followersOf } from './pendingAmendments.ts';
import type { ReactionRequest } from './react.ts';

/** Queues the deletion, unless it waits already; one that was not sent is tried again. */
export function takeDown(db: UserDatabase, { room, to, key, at }: ReactionRequest): Promise<void> {
  const targetAuthor = to.author.id;
  const target = to.key.slice(targetAuthor.length + 1);
  return db.write(['rows'], async (tx) => {
    const before = (await followersOf(tx, room, target)).find(
      (row) => isRemovalRow(row) && row.targetAuthor === targetAuthor,
    );
    if (before?.state.tag === 'parked') await tx.objectStore('rows').put(retried(before));
    if (before) return;
    const offset = to.serverOffset === undefined ? {} : { targetOffset: to.serverOffset };
    await addRow(tx, { room, target, targetAuthor, ...offset, kind: 'takedown', clientOffset: key, at });
  });
}
