/**
 * The part of a conversation that is looked at: lines of the log, the gaps between them that are not held, and behind the
 * newest line the rows that wait. Whatever is held can be scrolled to, also behind a gap.
 */
import type { Entry } from '../../shared/entry.ts';
import type { Line } from '../../shared/fold.ts';
import type { UserRead } from '../db/schema.ts';
import { WINDOW_MAX_LINES, WINDOW_PAGE_LINES } from '../records/pageLimits.ts';
import { linesBack, linesOf, linesOn } from './lines.ts';
import { spansOf } from './readSpans.ts';
import { cursorOf, isAmended, type Span, spanAt, without } from './spans.ts';

/** A line of the log by its entry, or a row that waits by its `seq`. */
export type Position = { tag: 'line'; offset: number } | { tag: 'row'; seq: number };

/**
 * Where it is: so many of the newest; or so many from a line or a row on; or so many around an entry, `before` of them
 * above it, which stay there when a gap beside it is filled.
 */
export type Place =
  | { tag: 'newest'; count: number }
  | { tag: 'from'; from: Position; count: number }
  | { tag: 'around'; offset: number; before: number; count: number };

/** Between two lines, or behind the last one, something is not held from `from` to `to`. */
export interface Gap {
  tag: 'gap';
  from: number;
  to: number;
}

/** Where a gap is filled: `upper` at its newest entries, `lower` at its oldest. */
export type GapEdge = 'upper' | 'lower';

export interface Window {
  place: Place;
  lines: Line[];
  /** Ascending, at most one between two lines. */
  gaps: Gap[];
  /** What of `queue` is in the window, behind its lines. */
  rows: readonly number[];
  /** All rows of the room that show, by `seq`, in order. */
  queue: readonly number[];
  /** The span that the first line lies in; without a line the newest. Undefined where that is in none. */
  span: Span | undefined;
  /** The end of the newest span; what is held beyond it was acknowledged by itself. 0 when nothing is held. */
  cursor: number;
  /** All that changes the lines is known. */
  isAmended: boolean;
  /** No older line is held. */
  reachesOldest: boolean;
  /** Then: the entry below which the newest missing one lies. Undefined where all is held down to the beginning. */
  olderFrom: number | undefined;
}

interface Log {
  tx: UserRead;
  room: string;
  /** Being read, beside the lines. */
  spans: Promise<Span[]>;
  queue: readonly number[];
}

export const AT_NEWEST: Place = { tag: 'newest', count: WINDOW_PAGE_LINES };

export async function readWindow(
  tx: UserRead,
  room: string,
  place: Place,
  queue: readonly number[],
): Promise<Window> {
  const log: Log = { tx, room, spans: spansOf(tx, room), queue };
  log.spans.catch(() => {}); // heard of where it is awaited, which another failure may prevent
  if (place.tag === 'newest') return readEnd(log, place.count);
  if (place.tag === 'around') return readAround(log, place);
  if (place.from.tag === 'line') {
    const { offset } = place.from;
    return (await isHeld(tx, room, offset)) ? readForward(log, offset, place.count) : lost(log);
  }
  const { seq } = place.from;
  const rest = queue.filter((each) => each >= seq);
  if (rest.length === 0) return lost(log);
  if (rest.length <= place.count) return readEnd(log, Math.max(WINDOW_PAGE_LINES, rest.length));
  const from: Position = { tag: 'row', seq: rest[0]! };
  return windowOf(log, { place: { ...place, from }, entries: [], rows: rest.slice(0, place.count) });
}

/** One page further back. */
export async function placeOlder(tx: UserRead, room: string, window: Window): Promise<Place> {
  const { place, queue } = window;
  const first = positionsOf(window)[0];
  if (!first) return place;
  const grown = sizeOf(window) + WINDOW_PAGE_LINES;
  const count = Math.min(grown, WINDOW_MAX_LINES);
  const from = await positionBefore(tx, room, first, WINDOW_PAGE_LINES, queue);
  // where a gap comes into view and is filled by and by, what was looked at stays in the window
  if (
    first.tag === 'line' &&
    from.tag === 'line' &&
    (await isGapBetween(tx, room, from.offset, first.offset))
  )
    return { tag: 'around', offset: first.offset, before: WINDOW_PAGE_LINES, count };
  if (place.tag === 'newest' && grown <= WINDOW_MAX_LINES) return { tag: 'newest', count };
  return { tag: 'from', from, count };
}

async function isGapBetween(tx: UserRead, room: string, above: number, below: number): Promise<boolean> {
  return without({ from: above + 1, to: below - 1 }, await spansOf(tx, room)).length > 0;
}

/** One page further on. */
export function placeNewer(window: Window): Place {
  const { place } = window;
  const positions = positionsOf(window);
  const first = place.tag === 'from' ? place.from : positions[0];
  if (place.tag === 'newest' || !first) return AT_NEWEST;
  const grown = positions.length + WINDOW_PAGE_LINES;
  if (grown <= WINDOW_MAX_LINES) return { tag: 'from', from: first, count: grown };
  const from = positions[grown - WINDOW_MAX_LINES] ?? first;
  return { tag: 'from', from, count: WINDOW_MAX_LINES };
}

/** Around an entry: it stands in the middle of a page. */
export function placeAround(offset: number): Place {
  return { tag: 'around', offset, before: WINDOW_PAGE_LINES >> 1, count: WINDOW_PAGE_LINES };
}

/**
 * For a window one of whose gaps is being filled. `upper`: from its newer end downwards, and what is below it stays in the
 * window; `lower`: from its older end upwards, and what is above it stays.
 */
export function placeAtGap({ place }: Window, { from, to }: Gap, edge: GapEdge): Place {
  const isSteady = edge === 'upper' ? place.tag === 'newest' : place.tag === 'from';
  if (isSteady) return place;
  const offset = edge === 'upper' ? to + 1 : from - 1;
  const before = edge === 'upper' ? WINDOW_PAGE_LINES : 2 * WINDOW_PAGE_LINES;
  return { tag: 'around', offset, before, count: WINDOW_MAX_LINES };
}

/** What stands so many before it, as far as that is held. */
export async function positionBefore(
  tx: UserRead,
  room: string,
  position: Position,
  count: number,
  queue: readonly number[],
): Promise<Position> {
  const ahead = position.tag === 'row' ? queue.filter((seq) => seq < position.seq) : [];
  if (ahead.length >= count) return { tag: 'row', seq: ahead.at(-count)! };
  const before = position.tag === 'row' ? Number.POSITIVE_INFINITY : position.offset;
  const [first] = await linesBack(tx, room, before - 1, count - ahead.length);
  if (first) return { tag: 'line', offset: first.serverOffset };
  return ahead.length > 0 ? { tag: 'row', seq: ahead[0]! } : position;
}

/** The row in the middle of what is shown, where that is one. */
export function middleRow({ lines, rows }: Window): number | undefined {
  return rows[((lines.length + rows.length) >> 1) - lines.length];
}

/** True for an entry of a span, and for one that is held by itself. */
export async function isHeld(tx: UserRead, room: string, offset: number): Promise<boolean> {
  if (spanAt(await spansOf(tx, room), offset)) return true;
  return (await tx.objectStore('detached').getKey([room, offset])) !== undefined;
}

async function readEnd(log: Log, count: number): Promise<Window> {
  const { tx, room, queue } = log;
  const rows = queue.slice(-count);
  const wanted = count - rows.length;
  // one more than shows: where there is none, no older line is held (S3)
  const all = await linesBack(tx, room, Number.POSITIVE_INFINITY, wanted + 1);
  const entries = all.slice(Math.max(0, all.length - wanted));
  const reachesOldest = rows.length === queue.length && entries.length === all.length;
  return windowOf(log, { place: { tag: 'newest', count }, entries, rows, reachesOldest, reachesEnd: true });
}

function lost(log: Log): Promise<Window> {
  return readEnd(log, AT_NEWEST.count);
}

async function readForward(log: Log, from: number, count: number): Promise<Window> {
  const { tx, room, queue } = log;
  const all = await linesOn(tx, room, from, count + 1);
  const reachesEnd = all.length <= count;
  const size = all.length + queue.length;
  if (reachesEnd && size <= count) return readEnd(log, Math.max(WINDOW_PAGE_LINES, size));
  const place: Place = { tag: 'from', from: { tag: 'line', offset: from }, count };
  return readLines(log, place, all, reachesEnd);
}

async function readAround(log: Log, place: Extract<Place, { tag: 'around' }>): Promise<Window> {
  const { tx, room } = log;
  const { offset, before, count } = place;
  if (!(await isHeld(tx, room, offset))) return lost(log);
  const above = await linesBack(tx, room, offset - 1, before);
  const wanted = count - above.length;
  const below = await linesOn(tx, room, offset, wanted + 1);
  return readLines(log, place, [...above, ...below], below.length <= wanted);
}

/** These, or all but the last one where they do not reach the end; there the rows follow. */
async function readLines(
  log: Log,
  place: Exclude<Place, { tag: 'newest' }>,
  all: readonly Entry[],
  reachesEnd: boolean,
): Promise<Window> {
  const entries = all.slice(0, place.count);
  const rows = reachesEnd ? log.queue.slice(0, place.count - entries.length) : [];
  const first = entries[0]?.serverOffset ?? 0;
  const reachesOldest = (await linesBack(log.tx, log.room, first - 1, 1)).length === 0;
  return windowOf(log, { place, entries, rows, reachesOldest, reachesEnd });
}

interface Shown {
  place: Place;
  entries: readonly Entry[];
  rows: readonly number[];
  reachesOldest?: boolean;
  /** No newer line is held. */
  reachesEnd?: boolean;
}

async function windowOf(
  { tx, room, spans: reading, queue }: Log,
  { place, entries, rows, reachesOldest = false, reachesEnd = false }: Shown,
): Promise<Window> {
  const spans = await reading;
  const cursor = cursorOf(spans);
  const [first, last] = [entries[0]?.serverOffset, entries.at(-1)?.serverOffset];
  const isSeen = ({ from, to }: Span) => from <= (last ?? 0) && to >= (first ?? 0);
  return {
    place,
    lines: await linesOf(tx, room, entries),
    gaps: gapsOf(spans, entries, reachesEnd ? cursor : 0),
    rows,
    queue,
    span: first === undefined ? spans.at(-1) : spanAt(spans, first),
    cursor,
    isAmended: spans.filter(isSeen).every((span) => isAmended(spans, span)),
    reachesOldest,
    olderFrom: reachesOldest ? olderFrom(spans, first ?? cursor + 1) : undefined,
  };
}

/** `cursor`: how far it is looked behind the last one. */
function gapsOf(spans: readonly Span[], entries: readonly Entry[], cursor: number): Gap[] {
  return entries.flatMap(({ serverOffset }, i): Gap[] => {
    const to = (entries[i + 1]?.serverOffset ?? cursor + 1) - 1;
    const holes = without({ from: serverOffset + 1, to }, spans);
    // a span without a line between two holes shows nothing that would part them
    return holes.length === 0 ? [] : [{ tag: 'gap', from: holes[0]!.from, to: holes.at(-1)!.to }];
  });
}

/** Above the newest hole below an entry. */
function olderFrom(spans: readonly Span[], below: number): number | undefined {
  const hole = without({ from: 1, to: below - 1 }, spans).at(-1);
  return hole && hole.to + 1;
}

function positionsOf({ lines, rows }: Window): Position[] {
  return [
    ...lines.map(({ serverOffset }): Position => ({ tag: 'line', offset: serverOffset })),
    ...rows.map((seq): Position => ({ tag: 'row', seq })),
  ];
}

function sizeOf({ lines, rows }: Window): number {
  return lines.length + rows.length;
}
