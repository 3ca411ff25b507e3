/**
 * Stretches of a log without a line of their own, as they are read: somebody's thousand edits are looked through once
 * and not again at each look. Pure.
 */
import type { Entry } from '../../shared/entry.ts';
import type { Stretch } from './spans.ts';

export interface Quiet {
  /** Ascending, none touching another. */
  stretches: readonly Stretch[];
  /** clientOffset of the last entry of the last one: where it is another by now, the log was put back. */
  key?: string;
}

/** What was read, ascending: its runs without a line are kept, the long ones and those that make one longer. */
export function rememberQuiet(
  quiet: Quiet,
  chunk: readonly Entry[],
  isLine: (entry: Entry) => boolean,
): void {
  let first = 0;
  for (let i = 0; i <= chunk.length; i++) {
    const entry = chunk[i];
    if (entry && !isLine(entry)) continue;
    if (i > first) rememberRun(quiet, chunk[first]!.serverOffset, chunk[i - 1]!);
    first = i + 1;
  }
}

function rememberRun(quiet: Quiet, first: number, last: Entry): void {
  const touches = ({ from, to }: Stretch) => from <= last.serverOffset + 1 && first <= to + 1;
  const touching = quiet.stretches.filter(touches);
  const from = Math.min(first, ...touching.map((each) => each.from));
  const to = Math.max(last.serverOffset, ...touching.map((each) => each.to));
  if (to - from + 1 < LEAST_ENTRIES) return;
  const rest = quiet.stretches.filter((each) => !touches(each));
  quiet.stretches = [...rest, { from, to }].sort((a, b) => a.from - b.from);
  if (quiet.stretches.at(-1)!.to === last.serverOffset) quiet.key = last.clientOffset;
}

/** Where to read on downwards instead of at `end`. */
export function beforeQuiet({ stretches }: Quiet, end: number): number {
  const at = stretches.find(({ from, to }) => from <= end && end <= to);
  return at ? at.from - 1 : end;
}

/** Down to where there is something to read from `end` on. */
export function afterQuiet({ stretches }: Quiet, end: number): number {
  return (stretches.findLast(({ to }) => to < end)?.to ?? 0) + 1;
}

/** Shorter ones cost less to read than to go round. Less than what is read at first (lines.ts). */
const LEAST_ENTRIES = 5;
