/** Finds the first message of a time among what this device holds. */
import { isMessage } from '../../../shared/kinds.ts';
import { readSpans } from '../../db/lookups.ts';
import { keysBetween, type UserRead } from '../../db/userDatabase.ts';
import type { Span } from '../../records/spans.ts';

/**
 * The first message with `from` ≤ at < `to`, in milliseconds; undefined as serverOffset where there is none. Undefined where what
 * is held does not say: the time lies, in part, in a hole.
 */
export async function findHeldDay(
  tx: UserRead,
  room: string,
  from: number,
  to: number,
): Promise<{ serverOffset: number | undefined } | undefined> {
  const head = (await tx.objectStore('rooms').get(room))?.head ?? 0;
  const at = async (offset: number) => (await tx.objectStore('log').get([room, offset]))?.at ?? 0;
  const spans = await readSpans(tx, room);
  for (const span of spans) {
    if ((await at(span.to)) < from) continue;
    const first = await firstSince(at, span, from);
    if (first === span.from && first > 1) return undefined; // the entry before it is not held
    return firstMessage(tx, room, { ...span, from: first }, to, head);
  }
  return (spans.at(-1)?.to ?? 0) >= head ? { serverOffset: undefined } : undefined;
}

/** The first entry of the span that is not earlier; the last one is not. The times of a log never go back. */
async function firstSince(
  at: (offset: number) => Promise<number>,
  { from, to }: Span,
  time: number,
): Promise<number> {
  let [low, high] = [from, to];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((await at(middle)) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

async function firstMessage(
  tx: UserRead,
  room: string,
  { from, to: end }: Span,
  to: number,
  head: number,
): Promise<{ serverOffset: number | undefined } | undefined> {
  for (let next = from; next <= end && next < from + MOST_ENTRIES; next += PAGE_ENTRIES) {
    const last = Math.min(end, next + PAGE_ENTRIES - 1);
    for (const entry of await tx.objectStore('log').getAll(keysBetween(room, next, last))) {
      if (entry.at >= to) return { serverOffset: undefined };
      if (isMessage(entry) && !entry.deleted) return { serverOffset: entry.serverOffset };
    }
  }
  return end >= head && end < from + MOST_ENTRIES ? { serverOffset: undefined } : undefined;
}

const PAGE_ENTRIES = 100;
/** So many entries without a message are not read in one transaction. */
const MOST_ENTRIES = 2_000;
