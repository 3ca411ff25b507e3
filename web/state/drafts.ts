/** What stands in the boxes and was not sent, in the database: the latest of each room, in order. */

import type { Clock, Timer } from '../db/clock.ts';
import type { UserDatabase } from '../db/schema.ts';
import { DRAFT_EVERY_MS, RETRY_MAX_MS } from '../records/pageLimits.ts';
import type { StorageHealth } from './storageState.ts';

export interface Drafts {
  draft(room: string): Promise<string>;
  /** Kept at once when the box was empty or is, and every DRAFT_EVERY_MS while it is written in. */
  save(room: string, text: string): void;
  /** The text is being queued as a message: meanwhile it is no draft, a tab that dies would offer it again (O3). */
  queue(room: string, body: string, isWritten: (text: string) => boolean): Queueing;
  /** Resolves once everything that was typed so far is on disk, as far as that is possible. */
  flush(): Promise<void>;
  /** The database is a new one: what stands in the boxes goes into it too. */
  emptied(): void;
  close(): void;
}

export interface Queueing {
  /**
   * Of the message. What failed before is tried under the key that it had, as long as its box was not emptied: a database
   * that was given up may have stored it all the same.
   */
  key: string;
  /** It was tried before, under that key. */
  isTried: boolean;
  /** Where it was not stored, the text is a draft again (O4). */
  done(stored: boolean): void;
}

interface Deps {
  db: UserDatabase;
  clock: Clock;
  storage: StorageHealth;
  newKey: () => string;
  changed(room: string): void;
}

export function createDrafts({ db, clock, storage, newKey, changed }: Deps): Drafts {
  /** What stands in the boxes that were written in. */
  const texts = new Map<string, string>();
  /** The rooms whose text is not on disk yet. */
  const pending = new Set<string>();
  /** Texts that could not be queued, with the keys they had. */
  const failed = new Map<string, Map<string, string>>();
  let writing: Promise<void> | undefined;
  let timer: Timer | undefined;
  let closed = false;

  /** One write at a time, so that an older text never lands after a newer one; what is typed meanwhile goes together. */
  function write(): Promise<void> {
    cancel();
    writing ??= writeAll().finally(() => {
      writing = undefined;
    });
    return writing;
  }

  async function writeAll(): Promise<void> {
    while (pending.size > 0 && !closed) {
      const rooms = [...pending];
      pending.clear();
      try {
        await put(rooms.map((room) => [room, texts.get(room) ?? '']));
      } catch (error) {
        if (closed) return;
        storage.failed(error);
        console.warn('a draft was not kept', error);
        for (const room of rooms) pending.add(room);
        later(RETRY_MAX_MS);
        return;
      }
      rooms.forEach(changed);
    }
    if (!closed && timer === undefined) later(DRAFT_EVERY_MS);
  }

  /** Written when it rings; what comes before that waits for it. */
  function later(ms: number): void {
    cancel();
    timer = clock.setTimeout(() => {
      timer = undefined;
      if (pending.size > 0) void write();
    }, ms);
  }

  function put(drafts: readonly (readonly [string, string])[]): Promise<void> {
    return db.write(['drafts'], async (tx) => {
      const store = tx.objectStore('drafts');
      const kept = drafts.map(([room, text]) =>
        text === '' ? store.delete(room) : store.put({ room, text }),
      );
      tx.commit(); // at once: a page that is being left hears no answer after which it could be (O4)
      await Promise.all(kept);
    });
  }

  function cancel(): void {
    if (timer !== undefined) clock.clearTimeout(timer);
    timer = undefined;
  }

  return {
    draft: async (room) =>
      (writing || pending.has(room) ? texts.get(room) : undefined) ??
      (await db.read(['drafts'], (tx) => tx.objectStore('drafts').get(room)))?.text ??
      '',
    save(room, text) {
      if (text === '') failed.delete(room);
      texts.set(room, text);
      pending.add(room);
      if (text === '' || timer === undefined) void write();
    },
    queue(room, body, isWritten) {
      const text = texts.get(room);
      const isDraft = text !== undefined && isWritten(text);
      if (isDraft) texts.set(room, '');
      const tried = failed.get(room)?.get(body);
      const key = tried ?? newKey();
      failed.get(room)?.delete(body);
      return {
        key,
        isTried: tried !== undefined,
        done(stored) {
          if (stored) return;
          failed.set(room, (failed.get(room) ?? new Map()).set(body, key));
          if (isDraft && texts.get(room) === '') texts.set(room, text);
          pending.add(room);
          void write();
        },
      };
    },
    flush: write,
    emptied() {
      for (const [room, text] of texts) if (text !== '') pending.add(room);
      void write();
    },
    close() {
      closed = true;
      cancel();
    },
  };
}
