/**
 * Joins and leaves that follow each other: the screen shows each run of them as one line. A run ends at a line and at a hole, and a
 * notice (shared/kinds.ts) is a run by itself.
 *
 * Cost: one request for a window; where that finds MEMBERSHIPS_AT_ONCE entries, one for each pair of neighbouring lines, of at
 * most RUN_MAX_ENTRIES + 1. So 1,000 joins between two messages cost a window two requests and 251 entries.
 */
import type { Entry } from '../../../shared/entry.ts';
import { isNotice } from '../../../shared/kinds.ts';
import { membershipsBetween, type UserRead } from '../../db/userDatabase.ts';
import type { OffsetRange } from '../../records/spans.ts';

export const MEMBERSHIPS_AT_ONCE = 200;
/** Of a longer run, one entry more than this is known. */
export const RUN_MAX_ENTRIES = 50;

/** The stored joins, leaves and notices in the range, which contains the lines. `lines` ascend. */
export async function readMemberships(
  tx: UserRead,
  room: string,
  { from, to }: OffsetRange,
  lines: readonly number[],
): Promise<Entry[]> {
  if (to - from < lines.length) return []; // there is nothing else
  const index = tx.objectStore('log').index('line');
  const read = (above: number, below: number, most: number): Promise<Entry[]> | [] =>
    above + 1 < below ? index.getAll(membershipsBetween(room, above + 1, below - 1), most) : [];
  const all = await read(from - 1, to + 1, MEMBERSHIPS_AT_ONCE);
  if (all.length < MEMBERSHIPS_AT_ONCE) return all;
  const ends = [from - 1, ...lines, to + 1];
  const parts = ends.slice(1).map((end, i) => read(ends[i]!, end, RUN_MAX_ENTRIES + 1));
  return (await Promise.all(parts)).flat();
}

/** The runs of these entries; all ascend. `ends`: the lines, and the beginnings of the gaps. Pure. */
export function membershipRuns(entries: readonly Entry[], ends: readonly number[]): Entry[][] {
  const runs: Entry[][] = [];
  let last: number | undefined;
  for (const entry of entries) {
    const next = isNotice(entry) ? -1 : ends.filter((end) => end < entry.serverOffset).length;
    if (next < 0 || next !== last) runs.push([]);
    last = next;
    runs.at(-1)!.push(entry);
  }
  return runs;
}
