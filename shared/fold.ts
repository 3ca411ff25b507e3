/** What the screen shows is a fold of the log: entries in, lines out. Pure. */
import type { Amendment, Entry } from './entry.ts';
import { isAmendment, isKnown } from './kinds.ts';
import { assertNever } from './never.ts';

interface Placed {
  serverOffset: number;
  author: string;
  clientOffset: string;
  at: number;
}

export type Line = Placed &
  ({ tag: 'text'; body: string; edited: boolean } | { tag: 'deleted' } | { tag: 'unknown'; kind: string });

/**
 * Lines in the order of `entries`, which ascend. `amendments` are entries from elsewhere in the log whose targets
 * lie here; those among `entries` count too. The edit with the greatest serverOffset holds; any deletion wins.
 */
export function fold(entries: readonly Entry[], amendments: readonly Entry[] = []): Line[] {
  const amended = strongest([...entries, ...amendments].filter(isAmendment));
  return entries.flatMap((entry) => lineOf(entry, amended.get(slot(entry.author, entry.serverOffset))) ?? []);
}

function lineOf(entry: Entry, amendment: Amendment | undefined): Line | undefined {
  const { serverOffset, author, clientOffset, at } = entry;
  const placed = { serverOffset, author, clientOffset, at };
  if (!isKnown(entry)) return { ...placed, tag: 'unknown', kind: entry.kind };
  switch (entry.kind) {
    case 'text': {
      const body = amendment?.kind === 'edit' ? amendment.body : entry.body;
      if (entry.deleted || amendment?.kind === 'delete' || body === undefined)
        return { ...placed, tag: 'deleted' };
      return { ...placed, tag: 'text', body, edited: amendment?.kind === 'edit' };
    }
    case 'edit':
    case 'delete':
    case 'join':
    case 'leave':
      return undefined; // no line of their own: they change another, or the list of members
    default:
      return assertNever(entry);
  }
}

/** Per author and target: the deletion, or else the last edit that still has a body. */
function strongest(amendments: readonly Amendment[]): Map<string, Amendment> {
  const best = new Map<string, Amendment>();
  for (const amendment of amendments) {
    const key = slot(amendment.author, amendment.target);
    const known = best.get(key);
    if (known === undefined || beats(amendment, known)) best.set(key, amendment);
  }
  return best;
}

/** Only one's own amendments count: somebody else's, however late, must not stand before them. */
function slot(author: string, target: number): string {
  return `${author} ${target}`;
}

function beats(a: Amendment, b: Amendment): boolean {
  if ((a.kind === 'delete') !== (b.kind === 'delete')) return a.kind === 'delete';
  if ((a.kind === 'edit' && a.deleted) !== (b.kind === 'edit' && b.deleted))
    return b.kind === 'edit' && b.deleted === true;
  return a.serverOffset > b.serverOffset;
}
