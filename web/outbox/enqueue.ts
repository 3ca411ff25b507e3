/** A new message: one strict transaction, durable first, then shown, then tried (O1). */
import type { UserDatabase } from '../db/schema.ts';
import { type Draft, newRow, type Row } from './row.ts';

/**
 * Adds it behind everything. The same key twice is one row: a hung database may have stored it the first time. The text
 * that the room keeps as being written goes with it, where that is this one: killed between the two, the app would show
 * it queued and offer it again (O3).
 */
export function enqueue(db: UserDatabase, draft: Draft, isWritten = (_text: string) => false): Promise<void> {
  return db.write(['rows', 'drafts'], async (tx) => {
    const [rows, drafts] = [tx.objectStore('rows'), tx.objectStore('drafts')];
    const [there, written] = await Promise.all([
      rows.index('clientOffset').getKey(draft.clientOffset),
      drafts.get(draft.room),
    ]);
    const changed = [
      there === undefined && rows.add(newRow(draft) as Row), // the store gives it its `seq`
      written && isWritten(written.text) && drafts.delete(draft.room),
    ];
    tx.commit(); // at once: a tap waits for it
    await Promise.all(changed);
  });
}
