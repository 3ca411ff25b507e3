/** Where each room's catch-up begins. Pure. */
import { CATCH_UP_MAX_ENTRIES, CATCH_UP_NEWEST_ENTRIES } from '../../shared/limits.ts';
import type { Cursor } from '../../shared/protocol/index.ts';

export interface Start {
  from: number;
  reset: boolean;
}

/**
 * `atThere` is the `at` of the entry at the cursor, undefined where there is none. A cursor that does not fit the log
 * (beyond its head, or on another entry) means that the database was put back: the room begins anew.
 */
export function startOf(
  head: number,
  cursor: Cursor | undefined,
  atThere: number | undefined,
  sameEpoch: boolean,
): Start {
  const [held, at] = cursor ?? [0, 0];
  const reset = held > 0 && (!sameEpoch || held > head || atThere !== at);
  const lacks = head - (reset ? 0 : held);
  return { from: head + 1 - (lacks <= CATCH_UP_MAX_ENTRIES ? lacks : CATCH_UP_NEWEST_ENTRIES), reset };
}

/** The order in which rooms are caught up: the one being looked at, then as the client named them, then the others. */
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

/** The newest of `items` whose sizes together stay within `budget` bytes, and what is left of it. */
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

/** In order, as few as hold all with at most `most` bytes each; one that is larger by itself is one of its own. */
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
