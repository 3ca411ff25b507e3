/** A new message: one strict transaction, durable first, then shown, then tried (O1). */
import type { UserDatabase } from '../db/schema.ts';
import { add } from './followers.ts';
import type { Draft } from './row.ts';

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
