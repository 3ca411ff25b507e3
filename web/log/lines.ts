/** Lines read from what is held: so many from a place back or on, and the newest of a room. */
import type { Entry } from '../../shared/entry.ts';
import { fold, isLine, type Line } from '../../shared/fold.ts';
import { isAmendment, mayAmend } from '../../shared/kinds.ts';
import { type UserRead, within } from '../db/schema.ts';
import { afterQuiet, beforeQuiet, type Quiet, rememberQuiet } from './quiet.ts';
import { spansOf } from './readSpans.ts';

/** Entries downwards from `to`, not below `least`, until they make at least `count` lines. Ascending; those that are `quiet` left out. */
export async function collectBack(
  tx: UserRead,
  room: string,
  least: number,
  to: number,
  count: number,
  quiet?: Quiet,
): Promise<Entry[]> {
  const chunks: Entry[][] = [];
  let found = 0;
  for await (const chunk of chunksBack(tx, room, least, to, count + SPARE_ENTRIES, quiet)) {
    chunks.push(chunk);
    found += chunk.filter(isLine).length;
    if (found >= count) break;
  }
  return chunks.reverse().flat();
}

/** Entries downwards from `to`, not below `least`: `size` of them at first, more of them each time. */
export async function* chunksBack(
  tx: UserRead,
  room: string,
  least: number,
  to: number,
  size: number,
  quiet: Quiet = { stretches: [] },
): AsyncGenerator<Entry[]> {
  const entries = tx.objectStore('log');
  const last = quiet.stretches.at(-1);
  if (last && (await entries.get([room, last.to]))?.clientOffset !== quiet.key) quiet.stretches = [];
  for (let end = to; end >= least; size = further(size)) {
    end = beforeQuiet(quiet, end);
    if (end < least) return;
    const from = Math.max(least, end - size + 1, afterQuiet(quiet, end));
    const chunk = await entries.getAll(within(room, from, end));
    rememberQuiet(quiet, chunk, isLine);
    yield chunk;
    end = from - 1;
  }
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
    const chunk = await tx.objectStore('log').getAll(within(room, start, end));
    chunks.push(chunk);
    found += chunk.filter(isLine).length;
    start = end + 1;
  }
  return chunks.flat();
}

/** These, which are lines, with what changes them, wherever it lies. */
export async function linesOf(tx: UserRead, room: string, lines: readonly Entry[]): Promise<Line[]> {
  if (lines.length === 0) return [];
  const amendments = await Promise.all(
    (['log', 'detached'] as const).map((name) => amending(tx, name as 'log', room, lines)),
  );
  return fold(lines, amendments.flat());
}

/** Where that is very much, of each line the last: what is removed is redacted already (blank.ts), and needs no removal. */
async function amending(tx: UserRead, store: 'log', room: string, lines: readonly Entry[]) {
  const index = tx.objectStore(store).index('target');
  const all = within(room, lines[0]!.serverOffset, lines.at(-1)!.serverOffset);
  const some: Entry[] = await index.getAll(all, MOST_ENTRIES);
  if (some.length < MOST_ENTRIES) return some;
  const lasts = lines.map(async (line) => {
    let cursor = await index.openCursor(within(room, line.serverOffset, line.serverOffset), 'prev');
    while (cursor && !(isAmendment(cursor.value) && mayAmend(cursor.value, line)))
      cursor = await cursor.continue();
    return cursor?.value ?? [];
  });
  return (await Promise.all(lasts)).flat();
}

/** The newest line of a room, unsent ones aside. */
export async function readLastLine(tx: UserRead, room: string, quiet?: Quiet): Promise<Line | undefined> {
  const held = await newestHeld(tx, room, quiet);
  const above = within(room, (held?.serverOffset ?? 0) + 1, Number.POSITIVE_INFINITY);
  const newest = (await tx.objectStore('detached').getAll(above)).findLast(isLine) ?? held;
  return newest && (await linesOf(tx, room, [newest]))[0];
}

async function newestHeld(tx: UserRead, room: string, quiet: Quiet | undefined): Promise<Entry | undefined> {
  for (const { from, to } of (await spansOf(tx, room)).reverse()) {
    for await (const chunk of chunksBack(tx, room, from, to, FIRST_ENTRIES, quiet)) {
      const found = chunk.findLast(isLine);
      if (found) return found;
    }
  }
  return undefined;
}

/** So many more than the lines that are wanted are read at first, and twice as many each time that they are sparse. */
const SPARE_ENTRIES = 14;
const FIRST_ENTRIES = 5;
const MOST_ENTRIES = 512;

function further(size: number): number {
  return Math.min(MOST_ENTRIES, 2 * size);
}
