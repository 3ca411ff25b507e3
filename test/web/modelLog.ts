/** What a server says of a room's log beyond its entries, told from all of it. Pure; `log` is as everybody reads it, whole. */
import type { Entry } from '../../shared/entry.ts';
import { isAmendment, isMessage, isRemoval } from '../../shared/kinds.ts';
import {
  CATCH_UP_MAX_ENTRIES,
  CATCH_UP_NEWEST_MESSAGES,
  CATCH_UP_ROOM_ENTRIES,
  MESSAGES_SHOWN_LEAST,
  UNREAD_COUNTED_MAX,
} from '../../shared/limits.ts';

/**
 * Where the catch-up of who holds all up to `held` begins: there, or, where much is missing, at the newest messages. `older`
 * as in `Room`.
 */
export function catchUpOf(log: readonly Entry[], held: number): { from: number; older?: number } {
  const head = log.length;
  const newest = messageAt(log, head, CATCH_UP_NEWEST_MESSAGES) ?? 1;
  const isMuch = head - held > CATCH_UP_MAX_ENTRIES;
  const from = isMuch ? Math.max(held + 1, newest, head + 1 - CATCH_UP_ROOM_ENTRIES) : held + 1;
  return { from, ...olderThan(log, from, head) };
}

/** Present where there are few messages from `from` to `to`, and some before. */
export function olderThan(log: readonly Entry[], from: number, to: number): { older?: number } {
  if (log.slice(from - 1, to).filter(counts).length >= MESSAGES_SHOWN_LEAST) return {};
  const older = messageAt(log, from - 1, MESSAGES_SHOWN_LEAST);
  return older === undefined ? {} : { older };
}

/** The `count`-th newest message at or below `upTo`, or the oldest one. */
function messageAt(log: readonly Entry[], upTo: number, count: number): number | undefined {
  const messages = log.slice(0, upTo).filter(counts);
  return messages.at(-Math.min(count, messages.length))?.serverOffset;
}

export function unreadIn(log: readonly Entry[], user: string, after: number): number {
  const unread = log.slice(after).filter((entry) => counts(entry) && entry.author !== user);
  return Math.min(unread.length, UNREAD_COUNTED_MAX);
}

/** Later entries that still matter to these: the last replacement of each that has content, and all removals. */
export function amendmentsOf(log: readonly Entry[], from: number, to: number): Entry[] {
  const last = new Map<number, number>();
  const all = log.filter((entry) => isAmendment(entry) && entry.target! >= from && entry.target! <= to);
  for (const entry of all)
    if (!isRemoval(entry) && !entry.deleted) last.set(entry.target!, entry.serverOffset);
  return all.filter(
    (entry) =>
      entry.serverOffset > to && (isRemoval(entry) || last.get(entry.target!) === entry.serverOffset),
  );
}

function counts(entry: Entry): boolean {
  return isMessage(entry) && !entry.deleted && !entry.unreadable;
}
