/**
 * Applies side effects that a process left unapplied because it died right after its append. Each process searches the
 * database for such entries when it opens it and then every minute. It also checks each pending entry that the tail delivers
 * a second or two later: by then the process that appended it has nearly always applied them.
 */

import type { EntryDocument } from './append/commands.ts';
import { type ApplySideEffects, kindsWithSideEffects, type PendingEntry } from './applySideEffects.ts';
import type { Collections } from './base/collections.ts';
import { askEachCollection } from './base/entryDocuments.ts';
import { isUnreachable } from './tail/streamFailure.ts';
import type { TailClock } from './tail/streamLoop.ts';
import { wallClock } from './tail/tail.ts';

export interface SideEffectRepair {
  /** Called with the documents that the tail delivers. */
  delivered(documents: readonly EntryDocument[]): void;
  close(): void;
}

interface Deps {
  collections: Collections;
  applySideEffects: ApplySideEffects;
  /** Wraps all work that the repair starts by itself. */
  pass: (work: () => Promise<void>) => Promise<void>;
}

const SEARCH_EVERY_MS = 60_000;
/** Entries per search; the next search finds the rest. */
const SEARCH_ENTRIES = 1_000;

export function startRepair({ collections, applySideEffects, pass }: Deps): SideEffectRepair {
  const checks = createDelayedChecks({ repair: (entries) => pass(() => repair(entries)), clock: wallClock });
  let timer: NodeJS.Timeout;
  search();

  /** An error is ignored: other calls report that the database is away, and the next search comes. */
  function search(): void {
    void pass(repairAll).catch(() => {});
    timer = setTimeout(search, SEARCH_EVERY_MS * (0.5 + Math.random())); // not all processes at once
  }

  async function repairAll(): Promise<void> {
    const where = { pending: true as const, kind: { $in: kindsWithSideEffects() } };
    for (const entries of collections.entries)
      await applyAll(await entries.find(where).project<PendingEntry>(FIELDS).limit(SEARCH_ENTRIES).toArray());
  }

  /** Applies the side effects of those of these entries that are still pending. */
  async function repair(places: readonly EntryPlace[]): Promise<void> {
    const found = await askEachCollection(collections, places, (entries, its) => {
      const [rooms, offsets] = [its.map(({ room }) => room), its.map(({ serverOffset }) => serverOffset)];
      const where = { pending: true as const, room: { $in: rooms }, serverOffset: { $in: offsets } };
      return entries.find(where).project<PendingEntry>(FIELDS).toArray();
    });
    await applyAll(found);
  }

  /** Room by room. A room that fails does not stop the others; its error is thrown at the end. */
  async function applyAll(pending: readonly PendingEntry[]): Promise<void> {
    let failure: { error: unknown } | undefined;
    for (const [room, its] of Map.groupBy(pending, ({ room }) => room)) {
      try {
        await applySideEffects(room, its);
      } catch (error) {
        if (isUnreachable(error)) throw error;
        failure ??= { error };
      }
    }
    if (failure) throw failure.error;
  }

  return {
    delivered: checks.delivered,
    close() {
      clearTimeout(timer);
      checks.close();
    },
  };
}

const FIELDS = {
  _id: 0,
  room: 1,
  serverOffset: 1,
  author: 1,
  subject: 1,
  at: 1,
  kind: 1,
  target: 1,
  content: 1,
};

export type EntryPlace = Pick<EntryDocument, 'room' | 'serverOffset'>;

const CHECK_AFTER_MS = 1_000;

/** Calls `repair` with each batch of pending entries one to two seconds after their delivery, and again where it rejects. */
export function createDelayedChecks({
  repair,
  clock,
}: {
  repair: (entries: readonly EntryPlace[]) => Promise<unknown>;
  clock: Pick<TailClock, 'after' | 'random'>;
}): SideEffectRepair {
  const cancels = new Set<() => void>();
  let isClosed = false;

  function checkLater(entries: readonly EntryPlace[]) {
    if (isClosed) return;
    const cancel = clock.after(CHECK_AFTER_MS * (1 + clock.random()), () => {
      cancels.delete(cancel);
      repair(entries).catch(() => checkLater(entries)); // the database is away
    });
    cancels.add(cancel);
  }

  return {
    delivered(documents) {
      const pending = documents.filter(({ pending }) => pending);
      if (pending.length > 0) checkLater(pending.map(({ room, serverOffset }) => ({ room, serverOffset })));
    },
    close() {
      isClosed = true;
      for (const cancel of cancels) cancel();
      cancels.clear();
    },
  };
}
