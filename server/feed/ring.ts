/** The newest entries of one room, so that many who come back do not each read the store. Blanked where deleted. */
import type { Entry } from '../../shared/entry.ts';
import { isAmendment } from '../../shared/kinds.ts';
import { RING_ENTRIES } from '../../shared/limits.ts';

export interface Ring {
  /** Must be the entry after the last one pushed. */
  push(entry: Entry): void;
  /** Entries from..to ascending, or undefined where it does not reach back that far. */
  slice(from: number, to: number): Entry[] | undefined;
}

export function createRing(size = RING_ENTRIES): Ring {
  let entries: Entry[] = [];

  function blank(target: number) {
    entries = entries.map((entry) => (concerns(entry, target) ? withoutBody(entry) : entry));
  }

  return {
    push(entry) {
      entries.push(entry);
      if (entries.length >= 2 * size) entries = entries.slice(-size);
      if (entry.kind === 'delete' && isAmendment(entry)) blank(entry.target);
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

/** The deleted text itself, and every edit of it. */
function concerns(entry: Entry, target: number): boolean {
  return (
    entry.serverOffset === target || (isAmendment(entry) && entry.kind === 'edit' && entry.target === target)
  );
}

function withoutBody(entry: Entry): Entry {
  const { body: _, ...rest } = entry as Entry & { body?: string };
  return { ...rest, deleted: true } as Entry;
}
