/** Decides where a room's catch-up begins, in which order rooms are caught up, and how entries are cut into frames. Pure. */
import type { Entry } from '../../shared/entry.ts';
import { isMessage } from '../../shared/kinds.ts';
import { CATCH_UP_MAX_ENTRIES, CATCH_UP_ROOM_ENTRIES, MESSAGES_SHOWN_LEAST } from '../../shared/limits.ts';
import type { Cursor } from '../../shared/protocol/index.ts';

/**
 * Where a catch-up begins. `few`: at `from`, so that the client gets all it lacks. `many`: at the newest messages. `reset`: the
 * client has to drop what it holds of the room.
 */
export type Start = { reset: boolean } & ({ tag: 'few'; from: number } | { tag: 'many' });

/**
 * `cursor`: the last entry that the client holds without gap. `proof`: an entry that it holds beyond that. `times`: `at` of
 * the entries at these two places in the log, undefined where there is none. A cursor or proof that does not match the log
 * (beyond its head, or another entry at its place) means that the database was restored from a backup: `reset`.
 */
export function startOf(
  head: number,
  { cursor, proof }: { cursor?: Cursor | undefined; proof?: Cursor | undefined },
  times: { cursor?: number | undefined; proof?: number | undefined },
  sameEpoch: boolean,
): Start {
  const fits = (held: Cursor | undefined, at: number | undefined) =>
    held === undefined || held[0] === 0 || (sameEpoch && held[0] <= head && held[1] === at);
  const reset = !fits(cursor, times.cursor) || !fits(proof, times.proof);
  const lacks = head - (reset ? 0 : (cursor?.[0] ?? 0));
  return lacks <= CATCH_UP_MAX_ENTRIES
    ? { tag: 'few', from: head + 1 - lacks, reset }
    : { tag: 'many', reset };
}

/** Where the newest messages begin, at most CATCH_UP_ROOM_ENTRIES before the head. `oldest`: the place of the oldest of them. */
export function startOfNewest(head: number, oldest: number | undefined): number {
  return Math.max(oldest ?? head, head + 1 - CATCH_UP_ROOM_ENTRIES);
}

/** True if these entries fill too little of a screen: the client is then sent where older messages begin (`older`). */
export function hasFewMessages(entries: readonly Entry[]): boolean {
  let messages = 0;
  for (const entry of entries) if (isMessage(entry) && ++messages >= MESSAGES_SHOWN_LEAST) return false;
  return true;
}

/** The order in which rooms are caught up: the open one, then those with cursors in the client's order, then the others. */
export function catchUpOrder(
  rooms: readonly string[],
  named: readonly string[],
  open: string | undefined,
): string[] {
  const mine = new Set(rooms);
  return [...new Set([...(open === undefined ? [] : [open]), ...named, ...rooms])].filter((room) =>
    mine.has(room),
  );
}

/** The newest of `items` whose total size is at most `budget` bytes, and how many bytes are left. */
export function newestWithin<T>(
  items: readonly T[],
  sizeOf: (item: T) => number,
  budget: number,
): [T[], number] {
  let left = budget;
  let first = items.length;
  while (first > 0 && sizeOf(items[first - 1]!) <= left) left -= sizeOf(items[--first]!);
  return [items.slice(first), left];
}

/** Cuts `items`, in order, into as few pieces of at most `most` bytes as possible. A larger item is a piece of its own. */
export function pieces<T>(items: readonly T[], sizeOf: (item: T) => number, most: number): T[][] {
  const all: T[][] = [];
  let left = 0;
  for (const item of items) {
    const size = sizeOf(item) + 1; // and a comma
    const last = all.at(-1);
    if (last && size <= left) last.push(item);
    else {
      all.push([item]);
      left = most;
    }
    left -= size;
  }
  return all;
}
