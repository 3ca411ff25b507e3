/** Queues a new message in one strict transaction: durable first, then shown, then sent (O1). */
import { LOG_STORES, type UserDatabase } from '../db/userDatabase.ts';
import { findOwnText } from '../log/read/findOwnText.ts';
import { type NewItem, newRow, type Row } from '../records/row.ts';

export interface EnqueueOptions {
  /** Whether the room's stored draft, `text`, is the text of the item. Then it is deleted. */
  isCurrentDraft?(text: string): boolean;
  /** The item is what this tab stored last as the draft, or is about to store: it is deleted without being read. */
  isOwnDraft?: boolean;
  /** Set for a retry after an error, to the user's id: the row may have been stored, and even sent, the first time (O3). */
  retriedAuthor?: string | undefined;
  /** Called when all requests are made: the row is being written, and not durable yet. Again if the transaction runs again. */
  writing?(): void;
}

/**
 * Adds a row at the end. Idempotent by key: a database that did not answer may have stored the row the first time. Deletes
 * the room's draft of this text in the same transaction: an app that is killed in between would show the text twice (O3).
 * Resolves with whether it deleted the draft.
 *
 * A new key with an own draft is one round trip: nothing is read.
 */
export function enqueue(
  db: UserDatabase,
  item: NewItem,
  { isCurrentDraft, isOwnDraft = false, retriedAuthor, writing }: EnqueueOptions = {},
): Promise<boolean> {
  const { room, clientOffset } = item;
  let mayBeStored = retriedAuthor !== undefined;
  return db.write(retriedAuthor === undefined ? STORES : [...STORES, ...LOG_STORES], async (tx) => {
    const [rows, drafts] = [tx.objectStore('rows'), tx.objectStore('drafts')];
    const isFirst = !mayBeStored;
    mayBeStored = true; // the transaction runs again if the database did not answer
    const [storedKey, storedText, storedDraft] =
      isFirst && isOwnDraft
        ? []
        : await Promise.all([
            rows.index('clientOffset').getKey(clientOffset),
            retriedAuthor === undefined ? undefined : findOwnText(tx, retriedAuthor, room, clientOffset),
            drafts.get(room),
          ]);
    const isDraft = storedDraft ? isCurrentDraft?.(storedDraft.text) : isFirst && isOwnDraft;
    const changed = [
      storedKey === undefined && !storedText && rows.add(newRow(item) as Row), // the store gives it its `seq`
      isDraft && drafts.delete(room),
    ];
    writing?.();
    // No `tx.commit()` here: it cannot be aborted any more where it stalls, and what was reported as not stored would be sent (O3).
    await Promise.all(changed);
    return isDraft ?? false;
  });
}

const STORES = ['rows', 'drafts'] as const;
