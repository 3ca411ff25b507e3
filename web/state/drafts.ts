/** What stands in the boxes and was not sent, in the database: the latest of each room, in order. */
import { RETRY_MAX_MS } from '../../shared/limits.ts';
import type { Clock, Timer } from '../db/clock.ts';
import type { UserDatabase } from '../db/schema.ts';

export interface Drafts {
  draft(room: string): Promise<string>;
  save(room: string, text: string): void;
  /** The text is being queued as a message: as a draft it is not written any more (O3). */
  queued(room: string, isWritten: (text: string) => boolean): void;
  /** Resolves once everything that was typed so far is on disk, as far as that is possible. */
  flush(): Promise<void>;
  close(): void;
}

interface Deps {
  db: UserDatabase;
  clock: Clock;
  changed(room: string): void;
}

export function createDrafts({ db, clock, changed }: Deps): Drafts {
  const pending = new Map<string, string>();
  let writing: Promise<void> | undefined;
  let again: Timer | undefined;
  let closed = false;

  /** One write at a time, so that an older text never lands after a newer one; what is typed meanwhile goes together. */
  function write(): Promise<void> {
    writing ??= writeAll().finally(() => {
      writing = undefined;
    });
    return writing;
  }

  async function writeAll(): Promise<void> {
    while (pending.size > 0 && !closed) {
      const texts = [...pending];
      pending.clear();
      try {
        await put(texts);
      } catch (error) {
        if (closed) return;
        console.warn('a draft was not kept', error);
        for (const [room, text] of texts) if (!pending.has(room)) pending.set(room, text);
        cancel();
        again = clock.setTimeout(write, RETRY_MAX_MS);
        return;
      }
      for (const [room] of texts) changed(room);
    }
  }

  function put(texts: readonly [string, string][]): Promise<void> {
    return db.write(['drafts'], async (tx) => {
      const drafts = tx.objectStore('drafts');
      for (const [room, text] of texts) {
        if (text === '') await drafts.delete(room);
        else await drafts.put({ room, text });
      }
    });
  }

  function cancel(): void {
    if (again !== undefined) clock.clearTimeout(again);
    again = undefined;
  }

  return {
    draft: async (room) =>
      pending.get(room) ??
      (await db.read(['drafts'], (tx) => tx.objectStore('drafts').get(room)))?.text ??
      '',
    save(room, text) {
      pending.set(room, text);
      void write();
    },
    queued(room, isWritten) {
      const text = pending.get(room);
      if (text !== undefined && isWritten(text)) pending.set(room, '');
    },
    flush: write,
    close() {
      closed = true;
      cancel();
    },
  };
}
