/** Lines read from what is held: so many from a place back or on, and the newest of a room. */
import type { Entry } from '../../shared/entry.ts';
import { fold, type Line } from '../../shared/fold.ts';
import { type UserRead, within } from '../db/schema.ts';
import { spansOf } from './hold.ts';
import type { Span } from './spans.ts';

/** Entries downwards from `to`, not below `least`, until they make at least `count` lines. Ascending. */
export async function collectBack(
  tx: UserRead,
  room: string,
  least: number,
  to: number,
  count: number,
): Promise<Entry[]> {
  const chunks: Entry[][] = [];
  let size = count + SPARE_ENTRIES;
  for (let [end, found] = [to, 0]; end >= least && found < count; size = further(size)) {
    const from = Math.max(least, end - size + 1);
    const chunk = await tx.objectStore('entries').getAll(within(room, from, end));
    chunks.push(chunk);
    found += chunk.filter(isLine).length;
    end = from - 1;
  }
  return chunks.reverse().flat();
}

/** Entries upwards from `from`, not above `most`, until they make more than `count` lines. */
export async function collectForward(
  tx: UserRead,
  room: string,
  from: number,
  most: number,
  count: number,
): Promise<Entry[]> {
  const chunks: Entry[][] = [];
  let size = count + SPARE_ENTRIES;
  for (let [start, found] = [from, 0]; start <= most && found <= count; size = further(size)) {
    const end = Math.min(most, start + size - 1);
    const chunk = await tx.objectStore('entries').getAll(within(room, start, end));
    chunks.push(chunk);
    found += chunk.filter(isLine).length;
    start = end + 1;
  }
  return chunks.flat();
}

/** These, which are lines, with what changes them, wherever it lies. */
export async function linesOf(tx: UserRead, room: string, lines: readonly Entry[]): Promise<Line[]> {
  if (lines.length === 0) return [];
  const targets = within(room, lines[0]!.serverOffset, lines.at(-1)!.serverOffset);
  const amendments = await Promise.all(
    (['entries', 'loose'] as const).map((name) => tx.objectStore(name).index('target').getAll(targets)),
  );
  return fold(lines, amendments.flat());
}

export function isLine(entry: Entry): boolean {
  return fold([entry]).length > 0;
}

/** Where the last line of a room was, and up to which entry that was looked for: by its key, since logs are put back. */
export interface Tail {
  line: number;
  upTo: number;
  key: string;
}

/** The newest line of a room, unsent ones aside. With the tail of the last time only what came since is looked through. */
export async function readLastLine(
  tx: UserRead,
  room: string,
  before?: Tail,
): Promise<{ line: Line; tail: Tail | undefined } | undefined> {
  const spans = await spansOf(tx, room);
  const held = await newestHeld(tx, room, spans, before);
  const above = within(room, (held?.serverOffset ?? 0) + 1, Number.POSITIVE_INFINITY);
  const newest = (await tx.objectStore('loose').getAll(above)).findLast(isLine) ?? held;
  const [line] = newest ? await linesOf(tx, room, [newest]) : [];
  if (!line) return undefined;
  const upTo = spans.at(-1)?.to;
  const end = upTo === undefined ? undefined : await tx.objectStore('entries').get([room, upTo]);
  const tail = held && end && { line: held.serverOffset, upTo: end.serverOffset, key: end.clientOffset };
  return { line, tail };
}

async function newestHeld(tx: UserRead, room: string, spans: readonly Span[], before: Tail | undefined) {
  const entries = tx.objectStore('entries');
  const known = before && (await entries.get([room, before.upTo]))?.clientOffset === before.key;
  for (const { from, to } of [...spans].reverse()) {
    const isIn = known && from <= before.line && before.upTo <= to;
    const found = (await collectBack(tx, room, isIn ? before.upTo + 1 : from, to, 1)).findLast(isLine);
    if (found) return found;
    if (isIn) return entries.get([room, before.line]);
  }
  return undefined;
}

/** So many more than the lines that are wanted are read at first, and twice as many each time that they are sparse. */
const SPARE_ENTRIES = 14;
const MOST_ENTRIES = 512;

function further(size: number): number {
  return Math.min(MOST_ENTRIES, 2 * size);
}
