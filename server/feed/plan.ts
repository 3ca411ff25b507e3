/** Where each room's catch-up begins, and how it is cut into frames. Pure. */
import type { Entry } from '../../shared/entry.ts';
import { isMessage } from '../../shared/kinds.ts';
import { CATCH_UP_MAX_ENTRIES, CATCH_UP_ROOM_ENTRIES, MESSAGES_SHOWN_LEAST } from '../../shared/limits.ts';
import type { Cursor } from '../../shared/protocol/index.ts';

/** What of a log a client lacks. `few`: from there to the head. `many`: the newest messages of it. */
export type Start = { reset: boolean } & ({ tag: 'few'; from: number } | { tag: 'many' });

/**
 * `cursor` ends what the client holds, `proof` is an entry that it holds beyond that; `times` are the `at` of the entries that
 * stand there, undefined where there is none. A cursor or proof that does not fit the log (beyond its head, or on another
 * entry) means that the database was put back: the room begins anew.
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

/** Where the newest messages of a log begin, at most so many entries before its head. `place`: of the oldest of them. */
export function startOfNewest(head: number, place: number | undefined): number {
  return Math.max(place ?? head, head + 1 - CATCH_UP_ROOM_ENTRIES);
}

/** True where a client would show too little of these: it is told where the messages before them begin. */
export function hasFewMessages(entries: readonly Entry[]): boolean {
  let messages = 0;
  for (const entry of entries) if (isMessage(entry) && ++messages >= MESSAGES_SHOWN_LEAST) return false;
  return true;
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
