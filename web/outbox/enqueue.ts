/** Queues a new message in one strict transaction: durable first, then shown, then sent (O1). */
import { LOG_STORES, type UserDatabase } from '../db/userDatabase.ts';
import { findOwnText } from '../log/read/findOwnText.ts';
import { type Draft, newRow, type Row } from '../records/row.ts';

export interface Queued {
  /** Whether the room's draft is this text. */
  isWritten?(text: string): boolean;
  /** The author, if queueing failed before: the row may be stored and even sent since (O3). */
  triedBy?: string | undefined;
}

/**
 * Adds a row at the end. Idempotent by key: a database that did not answer may have stored the row the first time. Deletes
 * the room's draft of this text in the same transaction: an app that is killed in between would show the text twice (O3).
 */
export function enqueue(db: UserDatabase, draft: Draft, { isWritten, triedBy }: Queued = {}): Promise<void> {
  const { room, clientOffset } = draft;
  return db.write(triedBy === undefined ? STORES : [...STORES, ...LOG_STORES], async (tx) => {
    const [rows, drafts] = [tx.objectStore('rows'), tx.objectStore('drafts')];
    const [there, held, written] = await Promise.all([
      rows.index('clientOffset').getKey(clientOffset),
      triedBy === undefined ? undefined : findOwnText(tx, triedBy, room, clientOffset),
      drafts.get(room),
    ]);
    const changed = [
      there === undefined && !held && rows.add(newRow(draft) as Row), // the store gives it its `seq`
      written && isWritten?.(written.text) && drafts.delete(room),
    ];
    tx.commit(); // without waiting for the requests: the tap is shown after it
    await Promise.all(changed);
  });
}

const STORES = ['rows', 'drafts'] as const;
