/**
 * The part of a conversation that is looked at, read from the database alone. A window never spans a hole: what lies
 * behind one is not shown until it is filled.
 */
import type { Entry } from '../../shared/entry.ts';
import { fold, type Line } from '../../shared/fold.ts';
import { WINDOW_MAX_LINES, WINDOW_PAGE_LINES } from '../../shared/limits.ts';
import { ofRoom, type UserRead, within } from '../db/schema.ts';
import { spansOf } from './hold.ts';
import { cursorOf, type Span, spanAt } from './spans.ts';

/** Where it is: so many of the newest lines, or so many from an entry on. */
export type Place = { tag: 'newest'; lines: number } | { tag: 'from'; from: number; lines: number };

export interface Window {
  place: Place;
  lines: Line[];
  /** The span that is looked into; undefined when nothing is held. */
  span: Span | undefined;
  /** Nothing older, or nothing newer, is held without a hole between. */
  reachesOldest: boolean;
  reachesNewest: boolean;
}

export const AT_NEWEST: Place = { tag: 'newest', lines: WINDOW_PAGE_LINES };

export async function readWindow(tx: UserRead, room: string, place: Place): Promise<Window> {
  const spans = await spansOf(tx, room);
  const newest = spans.at(-1);
  const span = place.tag === 'from' ? spanAt(spans, place.from) : newest;
  if (place.tag === 'from' && span) return readForward(tx, room, place, span, span === newest);
  const { lines } = place.tag === 'newest' ? place : AT_NEWEST; // what was looked at is gone: the log was put back
  return readBack(tx, room, lines, newest, cursorOf(spans));
}

/** One page further back. */
export async function placeOlder(tx: UserRead, room: string, window: Window): Promise<Place> {
  const { span, lines, place } = window;
  const first = lines[0]?.serverOffset;
  if (!span || first === undefined) return place;
  const grown = lines.length + WINDOW_PAGE_LINES;
  if (place.tag === 'newest' && grown <= WINDOW_MAX_LINES) return { tag: 'newest', lines: grown };
  const older = await collectBack(tx, room, span.from, first - 1, WINDOW_PAGE_LINES);
  const from = lineOffsets(older).at(-WINDOW_PAGE_LINES) ?? span.from;
  return { tag: 'from', from, lines: Math.min(grown, WINDOW_MAX_LINES) };
}

/** One page further on. */
export function placeNewer({ lines, place }: Window): Place {
  if (place.tag === 'newest') return place;
  const grown = place.lines + WINDOW_PAGE_LINES;
  if (grown <= WINDOW_MAX_LINES) return { ...place, lines: grown };
  return {
    tag: 'from',
    from: lines[grown - WINDOW_MAX_LINES]?.serverOffset ?? place.from,
    lines: WINDOW_MAX_LINES,
  };
}

async function readBack(
  tx: UserRead,
  room: string,
  count: number,
  span: Span | undefined,
  cursor: number,
): Promise<Window> {
  const held = span ? await collectBack(tx, room, span.from, span.to, count) : [];
  const after = await tx.objectStore('loose').getAll(within(room, cursor + 1, Number.POSITIVE_INFINITY));
  const entries = [...held, ...after];
  const all = fold(entries, await amendmentsOf(tx, room, entries));
  return {
    place: { tag: 'newest', lines: count },
    lines: all.slice(-count),
    span,
    reachesOldest: all.length <= count && (held[0]?.serverOffset ?? span?.from) === span?.from,
    reachesNewest: true,
  };
}

async function readForward(
  tx: UserRead,
  room: string,
  place: Place & { tag: 'from' },
  span: Span,
  isNewest: boolean,
): Promise<Window> {
  const entries = await collectForward(tx, room, place.from, span.to, place.lines);
  const all = fold(entries, await amendmentsOf(tx, room, entries));
  const reachesEnd = all.length <= place.lines && (entries.at(-1)?.serverOffset ?? span.to) === span.to;
  if (reachesEnd && isNewest) {
    const back = await readBack(tx, room, Math.max(WINDOW_PAGE_LINES, all.length), span, span.to);
    return back;
  }
  const lines = all.slice(0, place.lines);
  return { place, lines, span, reachesOldest: place.from === span.from, reachesNewest: reachesEnd };
}

/** Entries downwards from `to`, not below `least`, until they make at least `count` lines. Ascending. */
async function collectBack(
  tx: UserRead,
  room: string,
  least: number,
  to: number,
  count: number,
): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (let end = to; end >= least && lineOffsets(entries).length < count; ) {
    const from = Math.max(least, end - CHUNK_ENTRIES + 1);
    entries.unshift(...(await tx.objectStore('entries').getAll(within(room, from, end))));
    end = from - 1;
  }
  return entries;
}

/** Entries upwards from `from`, not above `most`, until they make more than `count` lines. */
async function collectForward(
  tx: UserRead,
  room: string,
  from: number,
  most: number,
  count: number,
): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (let start = from; start <= most && lineOffsets(entries).length <= count; start += CHUNK_ENTRIES) {
    const end = Math.min(most, start + CHUNK_ENTRIES - 1);
    entries.push(...(await tx.objectStore('entries').getAll(within(room, start, end))));
  }
  return entries;
}

/** What changes these, wherever it lies. */
async function amendmentsOf(tx: UserRead, room: string, entries: readonly Entry[]): Promise<Entry[]> {
  if (entries.length === 0) return [];
  const targets = within(room, entries[0]!.serverOffset, entries.at(-1)!.serverOffset);
  const stores = ['entries', 'loose'] as const;
  return (
    await Promise.all(stores.map((name) => tx.objectStore(name).index('target').getAll(targets)))
  ).flat();
}

/** The newest line of a room, unsent ones aside. */
export async function readLastLine(tx: UserRead, room: string): Promise<Line | undefined> {
  let newest: Entry | undefined;
  for (const name of ['entries', 'loose'] as const) {
    let cursor = await tx.objectStore(name).openCursor(ofRoom(room), 'prev');
    while (cursor && lineOffsets([cursor.value]).length === 0) cursor = await cursor.continue();
    if (cursor && cursor.value.serverOffset > (newest?.serverOffset ?? 0)) newest = cursor.value;
  }
  return newest && fold([newest], await amendmentsOf(tx, room, [newest]))[0];
}

function lineOffsets(entries: readonly Entry[]): number[] {
  return fold(entries).map((line) => line.serverOffset);
}

const CHUNK_ENTRIES = 64;
