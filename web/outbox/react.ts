/** Reacts to a message: durable first, then shown, then sent (O1). */
import { canonicalEmoji, isEmoji } from '../../shared/emoji.ts';
import type { UserDatabase } from '../db/userDatabase.ts';
import { isCountedRow, isUnderWay } from '../records/row.ts';
import { addRow, followersOf } from './pendingAmendments.ts';

export interface ReactionRequest {
  room: string;
  /** The message, by its key on the screen (messageKey). */
  to: { key: string; author: { id: string }; serverOffset: number | undefined };
  /** Of the new row. */
  key: string;
  at: number;
}

/**
 * Queues a reaction, or that it is taken back. It replaces what was queued of the same reaction and is not under way, so that the
 * outbox does not grow however often a person changes their mind, and what was meant last is sent last. It is sent also where it
 * seems to change nothing: another device of the user may have meant something else meanwhile. False if `text` is no emoji.
 */
export async function react(
  db: UserDatabase,
  { room, to, key, at }: ReactionRequest,
  text: string,
  on: boolean,
): Promise<boolean> {
  const fields = { emoji: canonicalEmoji(text.trim()), on };
  if (!isEmoji(fields.emoji)) return false;
  const targetAuthor = to.author.id;
  const target = to.key.slice(targetAuthor.length + 1); // not what the screen calls its clientOffset: that may be a failed edit's
  await db.write(['rows'], async (tx) => {
    for (const row of await followersOf(tx, room, target)) {
      const isSame = isCountedRow(row) && row.fields?.emoji === fields.emoji;
      if (isSame && row.targetAuthor === targetAuthor && !isUnderWay(row))
        await tx.objectStore('rows').delete(row.seq);
    }
    const offset = to.serverOffset === undefined ? {} : { targetOffset: to.serverOffset };
    const item = { room, target, targetAuthor, ...offset, kind: 'reaction', fields };
    await addRow(tx, { ...item, clientOffset: key, at });
  });
  return true;
}
