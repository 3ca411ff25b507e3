/** What an entry is, without its schemas: all that a fold needs to know. */
import type { Amendment, Entry, KnownEntry } from './entry.ts';

export const KNOWN_KINDS: ReadonlySet<string> = new Set(['text', 'edit', 'delete', 'join', 'leave']);

export function isKnown(entry: Entry): entry is KnownEntry {
  return KNOWN_KINDS.has(entry.kind);
}

export function isAmendment(entry: Entry): entry is Amendment {
  return entry.kind === 'edit' || entry.kind === 'delete';
}
