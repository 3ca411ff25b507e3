/** Lines read from what is held: so many from a place back or on, and the newest of a room. */
import type { Entry } from '../../shared/entry.ts';
import { fold, isLine, type Line } from '../../shared/fold.ts';
import { isAmendment, mayAmend } from '../../shared/kinds.ts';
import { type UserRead, within } from '../db/schema.ts';

/** The newest `count` lines at or below `to`, or all there are; ascending. What lies in holes is not among them. */
export async function linesBack(tx: UserRead, room: string, to: number, count: number): Promise<Entry[]> {
  if (count <= 0 || to < 0) return [];
  const index = tx.objectStore('log').index('line');
  let cursor = await index.openKeyCursor(within(room, 0, to), 'prev');
  const isNone = !cursor;
  if (count > 1) cursor = (await cursor?.advance(count - 1)) ?? null;
  const least = cursor?.key[1] ?? 0;
  const [held, detached] = await Promise.all([
    isNone ? [] : index.getAll(within(room, least, to)),
    detachedLines(tx, room, least, to),
  ]);
  return merged(held, detached).slice(-count);
}

/** The first `count` lines at or above `from`, or all there are; ascending. */
export async function linesOn(tx: UserRead, room: string, from: number, count: number): Promise<Entry[]> {
  const end = Number.POSITIVE_INFINITY;
  const held = await tx
    .objectStore('log')
    .index('line')
    .getAll(within(room, from, end), count);
  const most = held.length < count ? end : held.at(-1)!.serverOffset;
  return merged(held, await detachedLines(tx, room, from, most)).slice(0, count);
}

/** Lines that are held outside all spans. */
async function detachedLines(tx: UserRead, room: string, from: number, to: number): Promise<Entry[]> {
  return (await tx.objectStore('detached').getAll(within(room, from, to))).filter(isLine);
}

function merged(some: readonly Entry[], others: readonly Entry[]): Entry[] {
  return [...some, ...others].sort((a, b) => a.serverOffset - b.serverOffset);
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
export async function readLastLine(tx: UserRead, room: string): Promise<Line | undefined> {
  return (await linesOf(tx, room, await linesBack(tx, room, Number.POSITIVE_INFINITY, 1)))[0];
}

const MOST_ENTRIES = 512;
