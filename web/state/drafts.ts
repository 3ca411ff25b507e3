/**
 * The drafts: for each room, the latest unsent text of its composer, written to the database with a debounce and in
 * order.
 */

import type { Clock, Timer } from '../db/clock.ts';
import type { StorageHealth } from '../db/failure.ts';
import type { UserDatabase } from '../db/userDatabase.ts';
import { DRAFT_IDLE_MS, DRAFT_WITHIN_MS, RETRY_MAX_MS } from '../records/pageLimits.ts';

export interface Drafts {
  draft(room: string): Promise<string>;
  /**
   * Written at once where nothing was typed for a while, and when the text becomes empty; otherwise DRAFT_IDLE_MS after
   * the last key, at the latest DRAFT_WITHIN_MS after the last write.
   */
  save(room: string, text: string): void;
  /**
   * The text is being queued as a message. Meanwhile it is no draft: otherwise, after a crash, the app would offer it
   * again (O3).
   */
  queue(room: string, body: string, isCurrentDraft: (text: string) => boolean): Queueing;
  /** Another tab has sent the draft of the room as a message, if `isSent` says so of the text here: it is none any more. */
  sentElsewhere(room: string, isSent: (text: string) => boolean): void;
  /** Resolves once everything that was typed so far is on disk, or could not be written. */
  flush(): Promise<void>;
  /** The browser has emptied the database: writes the texts of the composers again. */
  emptied(): void;
  close(): void;
}

export interface Queueing {
  /**
   * Of the message. A text that could not be queued before keeps its key until the composer is emptied: a write that
   * timed out may have been stored all the same.
   */
  key: string;
  /** The text was tried before, under this key. */
  isTried: boolean;
  /** It is the text of the composer in this tab. */
  isDraft: boolean;
  /** The message is stored; `deletedDraft`: and no draft of the room is. */
  stored(deletedDraft: boolean): void;
  /** The text is a draft again (O4). */
  failed(): void;
}

interface Deps {
  db: UserDatabase;
  clock: Clock;
  storage: StorageHealth;
  newKey: () => string;
  changed(room: string, text: string): void;
}

export function createDrafts({ db, clock, storage, newKey, changed }: Deps): Drafts {
  /** The texts of the composers that were typed in. */
  const texts = new Map<string, string>();
  /** The rooms whose text is not on disk yet. */
  const pending = new Set<string>();
  /** The rooms whose stored draft was deleted as its message was queued: emptying their composer writes nothing. */
  const deleted = new Set<string>();
  /** Texts that could not be queued, with the keys they had. */
  const failed = new Map<string, Map<string, string>>();
  let writing: Promise<void> | undefined;
  /** After the write that is under way the next one follows at once. */
  let again = false;
  /** Writes of `flush` beside `writing`. */
  let beside: Promise<void> | undefined;
  /** By `ticks`: when a text that is typed after the last write has begun is written at the latest. */
  let dueAt = 0;
  let timer: Timer | undefined;
  let closed = false;

  /**
   * One write at a time, so that an older text never replaces a newer one. Texts that are typed meanwhile are written
   * together.
   */
  function write(): Promise<void> {
    cancel();
    again = true;
    writing ??= writeAll().finally(() => {
      writing = undefined;
    });
    return writing;
  }

  async function writeAll(): Promise<void> {
    while (again && pending.size > 0 && !closed) {
      const drafts = unwritten();
      pending.clear();
      again = false;
      dueAt = clock.ticks() + DRAFT_WITHIN_MS;
      try {
        await put(drafts);
        await beside;
      } catch (error) {
        if (closed) return;
        storage.failed(error);
        console.warn('a draft could not be stored', error);
        for (const [room] of drafts) pending.add(room);
        later(RETRY_MAX_MS);
        return;
      }
      for (const draft of drafts) changed(...draft);
    }
    if (!closed && timer === undefined) later(DRAFT_IDLE_MS);
  }

  function unwritten(): (readonly [string, string])[] {
    return [...pending].map((room) => [room, texts.get(room) ?? '']);
  }

  /** The next write is after `ms`. */
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
      const written = drafts.map(([room, text]) =>
        text === '' ? store.delete(room) : store.put({ room, text }),
      );
      // A page that is being closed gets no callback after which it could commit (O4). Chromium drops a write that still waits
      // for another tab all the same.
      tx.commit();
      await Promise.all(written);
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
      if (deleted.delete(room) && text === '') return;
      texts.set(room, text);
      pending.add(room);
      if (text === '' || (timer === undefined && !writing)) void write();
      else later(Math.min(DRAFT_IDLE_MS, dueAt - clock.ticks()));
    },
    queue(room, body, isCurrentDraft) {
      const text = texts.get(room);
      const isDraft = text !== undefined && isCurrentDraft(text);
      if (isDraft) {
        texts.set(room, '');
        pending.delete(room); // the draft is deleted with the write of the message
      }
      const mayReturn = writing !== undefined; // a write that the database did not answer runs again, perhaps after the deletion
      const tried = failed.get(room)?.get(body);
      const key = tried ?? newKey();
      failed.get(room)?.delete(body);
      return {
        key,
        isTried: tried !== undefined,
        isDraft,
        stored(deletedDraft) {
          if (deletedDraft && !mayReturn && texts.get(room) === '' && !pending.has(room)) deleted.add(room);
        },
        failed() {
          failed.set(room, (failed.get(room) ?? new Map()).set(body, key));
          if (isDraft && texts.get(room) === '') texts.set(room, text);
          pending.add(room);
          void write();
        },
      };
    },
    sentElsewhere(room, isSent) {
      const text = texts.get(room);
      if (text === undefined || !isSent(text)) return;
      texts.delete(room);
      pending.delete(room); // writing it would bring it back
    },
    flush() {
      // The page may be gone before the write is done that this one would wait for. It is repeated then, if there is a page.
      if (writing && pending.size > 0) beside = put(unwritten()).catch(() => {});
      return write();
    },
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
