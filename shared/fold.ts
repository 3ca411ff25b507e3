/** Folds entries of a log into the lines that the screen shows: edits and deletions are applied to their targets. Pure. */
import type { Amendment, Entry, Mention, MessageKey } from './entry.ts';
import { isAmendment, isKnown, isMessage, isRemoval, mayAmend } from './kinds.ts';

interface Placed {
  serverOffset: number;
  author: string;
  clientOffset: string;
  at: number;
}

export type Line = Placed &
  /** `replyTo`: the message that it answers; `target`: its serverOffset, if the log had it. */
  (
    | {
        tag: 'text';
        body: string;
        edited: boolean;
        replyTo?: MessageKey | undefined;
        target?: number | undefined;
        mentions?: readonly Mention[] | undefined;
      }
    /** `by`: another user than its author. */
    | { tag: 'deleted'; by?: string }
    /** This version does not know the kind. */
    | { tag: 'unknown'; kind: string }
    /** The server cannot read the stored record. */
    | { tag: 'unreadable' }
  );

/**
 * Returns the lines in the order of `entries`, which must ascend. `amendments` are edits and deletions from elsewhere in the
 * log whose targets are among `entries`; those among `entries` are applied, too. Any removal wins over all replacements; of
 * the replacements, the one with the greatest serverOffset.
 */
export function fold(entries: readonly Entry[], amendments: readonly Entry[] = []): Line[] {
  const byTarget = new Map<number, Amendment[]>(); // not Map.groupBy: Safari 16.4 does not have it
  for (const amendment of [...entries, ...amendments].filter(isAmendment)) {
    const { target } = amendment;
    const known = byTarget.get(target);
    if (known) known.push(amendment);
    else byTarget.set(target, [amendment]);
  }
  return entries.flatMap((entry) => {
    const allowed = byTarget.get(entry.serverOffset)?.filter((one) => mayAmend(one, entry)) ?? [];
    return lineOf(entry, allowed.reduce<Amendment | undefined>(stronger, undefined)) ?? [];
  });
}

/** True if the entry is shown as a line of its own. */
export function isLine(entry: Entry): boolean {
  return entry.unreadable === true || isMessage(entry);
}

function lineOf(entry: Entry, amendment: Amendment | undefined): Line | undefined {
  if (!isLine(entry)) return undefined;
  const { serverOffset, author, clientOffset, at } = entry;
  const placed = { serverOffset, author, clientOffset, at };
  if (entry.unreadable) return { ...placed, tag: 'unreadable' };
  const removal = amendment && isRemoval(amendment) ? amendment : undefined;
  if (entry.deleted || removal)
    return { ...placed, tag: 'deleted', ...(removal && removal.author !== author && { by: removal.author }) };
  const text = isKnown(entry) && entry.kind === 'text' ? entry : undefined;
  if (!text) return { ...placed, tag: 'unknown', kind: entry.kind };
  const body = amendment ? amendment.body : text.body;
  if (body === undefined) return { ...placed, tag: 'deleted' };
  const { replyTo, target, mentions } = text;
  return { ...placed, tag: 'text', body, edited: amendment !== undefined, replyTo, target, mentions };
}

/** The removal, else the latest replacement that still has its content. */
function stronger(known: Amendment | undefined, other: Amendment): Amendment {
  if (!known) return other;
  const [a, b] = [isRemoval(known), isRemoval(other)];
  if (a !== b) return a ? known : other;
  if (!known.deleted !== !other.deleted) return known.deleted ? other : known;
  return other.serverOffset > known.serverOffset ? other : known;
}
