/** Reads rendered lines of a stored log: a page backwards or forwards from a serverOffset, and the newest line of a room. */
import type { Entry } from '../../../shared/entry.ts';
import { fold, isLine, type Line } from '../../../shared/fold.ts';
import { isAmendment, mayAmend } from '../../../shared/kinds.ts';
import { keysBetween, type UserRead } from '../../db/userDatabase.ts';

/** At most `count` stored lines, the newest at or below `to`, ascending. Skips holes. */
export async function readLinesBack(tx: UserRead, room: string, to: number, count: number): Promise<Entry[]> {
  if (count <= 0 || to < 0) return [];
  const index = tx.objectStore('log').index('line');
  let cursor = await index.openKeyCursor(keysBetween(room, 0, to), 'prev');
  const isNone = !cursor;
  if (count > 1) cursor = (await cursor?.advance(count - 1)) ?? null;
  const least = cursor?.key[1] ?? 0;
  const [held, detached] = await Promise.all([
    isNone ? [] : index.getAll(keysBetween(room, least, to)),
    detachedLines(tx, room, least, to),
  ]);
  return merged(held, detached).slice(-count);
}

/** At most `count` stored lines, the oldest at or above `from`, ascending. */
export async function readLinesForward(
  tx: UserRead,
  room: string,
  from: number,
  count: number,
): Promise<Entry[]> {
  const end = Number.POSITIVE_INFINITY;
  const held = await tx
    .objectStore('log')
    .index('line')
    .getAll(keysBetween(room, from, end), count);
  const most = held.length < count ? end : held.at(-1)!.serverOffset;
  return merged(held, await detachedLines(tx, room, from, most)).slice(0, count);
}

/** Lines stored outside all spans. */
async function detachedLines(tx: UserRead, room: string, from: number, to: number): Promise<Entry[]> {
  return (await tx.objectStore('detached').getAll(keysBetween(room, from, to))).filter(isLine);
}

function merged(some: readonly Entry[], others: readonly Entry[]): Entry[] {
  return [...some, ...others].sort((a, b) => a.serverOffset - b.serverOffset);
}

/** Folds these lines with all their stored amendments. */
export async function foldLines(tx: UserRead, room: string, lines: readonly Entry[]): Promise<Line[]> {
  if (lines.length === 0) return [];
  const amendments = await Promise.all(
    (['log', 'detached'] as const).map((name) => amending(tx, name as 'log', room, lines)),
  );
  return fold(lines, amendments.flat());
}

/**
 * The stored amendments of the lines. If there are MOST_ENTRIES or more, only the last of each line: a removed line is
 * redacted in the store (store/storeEntries.ts), so its removal is not needed.
 */
async function amending(tx: UserRead, store: 'log', room: string, lines: readonly Entry[]) {
  const index = tx.objectStore(store).index('target');
  const all = keysBetween(room, lines[0]!.serverOffset, lines.at(-1)!.serverOffset);
  const some: Entry[] = await index.getAll(all, MOST_ENTRIES);
  if (some.length < MOST_ENTRIES) return some;
  const lasts = lines.map(async (line) => {
    let cursor = await index.openCursor(keysBetween(room, line.serverOffset, line.serverOffset), 'prev');
    while (cursor && !(isAmendment(cursor.value) && mayAmend(cursor.value, line)))
      cursor = await cursor.continue();
    return cursor?.value ?? [];
  });
  return (await Promise.all(lasts)).flat();
}

/** The newest line of a room's log, without outbox rows. */
export async function readLastLine(tx: UserRead, room: string): Promise<Line | undefined> {
  return (await foldLines(tx, room, await readLinesBack(tx, room, Number.POSITIVE_INFINITY, 1)))[0];
}

const MOST_ENTRIES = 512;
