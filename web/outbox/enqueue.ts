/** A new message: one strict transaction, durable first, then shown, then tried (O1). */
import { HELD_STORES, type UserDatabase } from '../db/schema.ts';
import { heldMessage } from './held.ts';
import { type Draft, newRow, type Row } from './row.ts';

export interface Queued {
  /** True for the text that the room keeps as being written, when it is this one. */
  isWritten?(text: string): boolean;
  /** Whose it is, when it was tried before: it may be stored, sent and in the log since (O3). */
  triedBy?: string | undefined;
}

/**
 * Adds it behind everything. The same key twice is one row: a hung database may have stored it the first time. The text
 * that the room keeps as being written goes with it, where that is this one: killed between the two, the app would show
 * it queued and offer it again (O3).
 */
export function enqueue(db: UserDatabase, draft: Draft, { isWritten, triedBy }: Queued = {}): Promise<void> {
  const { room, clientOffset } = draft;
  return db.write(triedBy === undefined ? STORES : [...STORES, ...HELD_STORES], async (tx) => {
    const [rows, drafts] = [tx.objectStore('rows'), tx.objectStore('drafts')];
    const [there, held, written] = await Promise.all([
      rows.index('clientOffset').getKey(clientOffset),
      triedBy === undefined ? undefined : heldMessage(tx, triedBy, room, clientOffset),
      drafts.get(room),
    ]);
    const changed = [
      there === undefined && !held && rows.add(newRow(draft) as Row), // the store gives it its `seq`
      written && isWritten?.(written.text) && drafts.delete(room),
    ];
    tx.commit(); // at once: a tap waits for it
    await Promise.all(changed);
  });
}

const STORES = ['rows', 'drafts'] as const;
