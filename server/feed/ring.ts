/** The newest entries of one room, so that many who come back do not each read the store. Redacted where removed. */
import type { Entry } from '../../shared/entry.ts';
import { isMessage, isRemoval, isReplacement, redacted } from '../../shared/kinds.ts';
import { RING_ENTRIES } from '../base/serverLimits.ts';

export interface Ring {
  /** Must be the entry after the last one pushed. */
  push(entry: Entry): void;
  /** Entries from..to ascending, or undefined where it does not reach back that far. */
  slice(from: number, to: number): Entry[] | undefined;
}

export function createRing(size = RING_ENTRIES): Ring {
  let entries: Entry[] = [];

  function redact(target: number) {
    entries = entries.map((entry) => (losesContent(entry, target) ? redacted(entry) : entry));
  }

  return {
    push(entry) {
      entries.push(entry);
      if (entries.length >= 2 * size) entries = entries.slice(-size);
      if (isRemoval(entry)) redact(entry.target!);
    },
    slice(from, to) {
      if (from > to) return [];
      const first = entries[0]?.serverOffset;
      const last = entries.at(-1)?.serverOffset;
      if (first === undefined || last === undefined || from < first || to > last) return undefined;
      return entries.slice(from - first, to - first + 1);
    },
  };
}

/** The removed message itself, and everything that replaces its content. */
function losesContent(entry: Entry, target: number): boolean {
  if (entry.serverOffset === target) return isMessage(entry);
  return isReplacement(entry) && entry.target === target;
}
