/** Where a range is cut. */
import type { Entry } from '../../shared/entry.ts';
import { jsonBytes } from '../base/jsonBytes.ts';

/** As many as fit as a JSON array, but one at least: whoever reads on must get on. */
export function upToBytes(entries: Iterable<Entry>, maxBytes: number): Entry[] {
  const taken: Entry[] = [];
  let bytes = 1; // of the brackets and commas: one per entry, and one
  for (const entry of entries) {
    bytes += jsonBytes(entry) + 1;
    if (bytes > maxBytes && taken.length > 0) break;
    taken.push(entry);
  }
  return taken;
}
