/** What the screen shows is a fold of the log: entries in, lines out. Pure. */
import type { Amendment, Entry } from './entry.ts';
import { isAmendment, isKnown, isMessage, isRemoval, mayAmend } from './kinds.ts';

interface Placed {
  serverOffset: number;
  author: string;
  clientOffset: string;
  at: number;
}

export type Line = Placed &
  (
    | { tag: 'text'; body: string; edited: boolean }
    | { tag: 'deleted' }
    /** Of a kind that this version cannot show. */
    | { tag: 'unknown'; kind: string }
    /** The server cannot read what it has stored there. */
    | { tag: 'unreadable' }
  );

/**
 * Lines in the order of `entries`, which ascend. `amendments` are entries from elsewhere in the log whose targets lie here;
 * those among `entries` count too. The replacement with the greatest serverOffset holds; any removal wins.
 */
export function fold(entries: readonly Entry[], amendments: readonly Entry[] = []): Line[] {
  const byTarget = new Map<number, Amendment[]>(); // not by Map.groupBy: Safari 16.4 has none
  for (const amendment of [...entries, ...amendments].filter(isAmendment)) {
    const { target } = amendment;
    const its = byTarget.get(target);
    if (its) its.push(amendment);
    else byTarget.set(target, [amendment]);
  }
  return entries.flatMap((entry) => {
    const its = byTarget.get(entry.serverOffset)?.filter((amendment) => mayAmend(amendment, entry)) ?? [];
    return lineOf(entry, its.reduce<Amendment | undefined>(stronger, undefined)) ?? [];
  });
}

/** True for an entry that makes a line. */
export function isLine(entry: Entry): boolean {
  return entry.unreadable === true || isMessage(entry);
}

function lineOf(entry: Entry, amendment: Amendment | undefined): Line | undefined {
  if (!isLine(entry)) return undefined;
  const { serverOffset, author, clientOffset, at } = entry;
  const placed = { serverOffset, author, clientOffset, at };
  if (entry.unreadable) return { ...placed, tag: 'unreadable' };
  if (entry.deleted || (amendment && isRemoval(amendment))) return { ...placed, tag: 'deleted' };
  const text = isKnown(entry) && entry.kind === 'text' ? entry : undefined;
  if (!text) return { ...placed, tag: 'unknown', kind: entry.kind };
  const body = amendment ? amendment.body : text.body;
  if (body === undefined) return { ...placed, tag: 'deleted' };
  return { ...placed, tag: 'text', body, edited: amendment !== undefined };
}

/** The removal, or else the last replacement that still has a content. */
function stronger(known: Amendment | undefined, other: Amendment): Amendment {
  if (!known) return other;
  const [a, b] = [isRemoval(known), isRemoval(other)];
  if (a !== b) return a ? known : other;
  if (!known.deleted !== !other.deleted) return known.deleted ? other : known;
  return other.serverOffset > known.serverOffset ? other : known;
}
