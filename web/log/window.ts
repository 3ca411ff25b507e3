/**
 * The part of a conversation that is looked at: lines of the log, and behind the newest of them the rows that wait. A
 * window never spans a hole: what lies behind one is not shown until it is filled.
 */
import { isLine, type Line } from '../../shared/fold.ts';
import { WINDOW_MAX_LINES, WINDOW_PAGE_LINES } from '../../shared/limits.ts';
import type { UserRead } from '../db/schema.ts';
import { collectForward, linesOf } from './lines.ts';
import type { Quiet } from './quiet.ts';
import { entriesBack, type Log, openLog, type Segment, segmentAt } from './segments.ts';
import { isAmended, type Span } from './spans.ts';

/** A line of the log by its entry, or a row that waits by its `seq`. */
export type Position = { tag: 'line'; offset: number } | { tag: 'row'; seq: number };

/** Where it is: so many of the newest, or so many from a line or a row on. */
export type Place = { tag: 'newest'; count: number } | { tag: 'from'; from: Position; count: number };

export interface Window {
  place: Place;
  lines: Line[];
  /** What of `queue` is in the window, behind its lines. */
  rows: readonly number[];
  /** All rows of the room that show, by `seq`, in order. */
  queue: readonly number[];
  /** The span that is looked into; undefined when nothing is held. */
  span: Span | undefined;
  /** All that changes what is in the span is known. */
  isAmended: boolean;
  /** Nothing older, or nothing newer, is held without a hole between. */
  reachesOldest: boolean;
  reachesNewest: boolean;
}

export const AT_NEWEST: Place = { tag: 'newest', count: WINDOW_PAGE_LINES };

export async function readWindow(
  tx: UserRead,
  room: string,
  place: Place,
  queue: readonly number[],
  quiet?: Quiet,
): Promise<Window> {
  const log = await openLog(tx, room, quiet);
  if (place.tag === 'newest') return readEnd(log, place.count, queue);
  if (place.from.tag === 'line') {
    const held = segmentAt(log, place.from.offset);
    return held ? readForward(log, held, place.from.offset, place.count, queue) : lost(log, queue);
  }
  const { seq } = place.from;
  const rest = queue.filter((each) => each >= seq);
  if (rest.length === 0) return lost(log, queue);
  if (rest.length <= place.count) return readEnd(log, Math.max(WINDOW_PAGE_LINES, rest.length), queue);
  const from: Position = { tag: 'row', seq: rest[0]! };
  const { span } = log.end;
  const shown = { lines: [], rows: rest.slice(0, place.count), queue, span, isAmended: true };
  return { ...shown, place: { ...place, from }, reachesOldest: false, reachesNewest: false };
}

/** One page further back. */
export async function placeOlder(tx: UserRead, room: string, window: Window): Promise<Place> {
  const { place, queue } = window;
  const first = positionsOf(window)[0];
  if (!first) return place;
  const grown = sizeOf(window) + WINDOW_PAGE_LINES;
  if (place.tag === 'newest' && grown <= WINDOW_MAX_LINES) return { tag: 'newest', count: grown };
  const from = await positionBefore(tx, room, first, WINDOW_PAGE_LINES, queue);
  return { tag: 'from', from, count: Math.min(grown, WINDOW_MAX_LINES) };
}

/** One page further on. */
export function placeNewer(window: Window): Place {
  const { place } = window;
  if (place.tag === 'newest') return place;
  const grown = sizeOf(window) + WINDOW_PAGE_LINES;
  if (grown <= WINDOW_MAX_LINES) return { ...place, count: grown };
  const from = positionsOf(window)[grown - WINDOW_MAX_LINES] ?? place.from;
  return { tag: 'from', from, count: WINDOW_MAX_LINES };
}

/** What stands so many before it, as far as that is held without a hole. */
export async function positionBefore(
  tx: UserRead,
  room: string,
  position: Position,
  count: number,
  queue: readonly number[],
): Promise<Position> {
  const log = await openLog(tx, room);
  const ahead = position.tag === 'row' ? queue.filter((seq) => seq < position.seq) : [];
  if (ahead.length >= count) return { tag: 'row', seq: ahead.at(-count)! };
  const before = position.tag === 'row' ? Number.POSITIVE_INFINITY : position.offset;
  const held = segmentAt(log, before);
  const wanted = count - ahead.length;
  const lines = held ? (await entriesBack(log, held, before - 1, wanted)).filter(isLine) : [];
  const offset = lines.at(-wanted)?.serverOffset ?? held?.span?.from ?? lines[0]?.serverOffset;
  if (offset !== undefined) return { tag: 'line', offset };
  return ahead.length > 0 ? { tag: 'row', seq: ahead[0]! } : position;
}

/** The row in the middle of what is shown, where that is one. */
export function middleRow({ lines, rows }: Window): number | undefined {
  return rows[((lines.length + rows.length) >> 1) - lines.length];
}

async function readEnd(log: Log, count: number, queue: readonly number[]): Promise<Window> {
  const { span } = log.end;
  const rows = queue.slice(-count);
  const wanted = count - rows.length;
  // one more than shows: where there is none, all down to the beginning of the span was looked through (S3)
  const entries = await entriesBack(log, log.end, Number.POSITIVE_INFINITY, wanted + 1);
  const all = entries.filter(isLine);
  const shown = all.slice(Math.max(0, all.length - wanted));
  return {
    place: { tag: 'newest', count },
    lines: await linesOf(log.tx, log.room, shown),
    rows,
    queue,
    span,
    isAmended: !span || isAmended(log.spans, span),
    reachesOldest: rows.length === queue.length && shown.length === all.length,
    reachesNewest: true,
  };
}

function lost(log: Log, queue: readonly number[]): Promise<Window> {
  return readEnd(log, AT_NEWEST.count, queue);
}

async function readForward(
  log: Log,
  { span, loose, isEnd }: Segment,
  from: number,
  count: number,
  queue: readonly number[],
): Promise<Window> {
  const { tx, room } = log;
  const held = span ? await collectForward(tx, room, from, span.to, count) : [];
  const isThrough = !span || (held.at(-1)?.serverOffset ?? span.to) === span.to;
  const after = isThrough ? loose.filter((entry) => entry.serverOffset >= from) : [];
  const all = [...held, ...after].filter(isLine);
  const reachesEnd = isThrough && all.length <= count;
  const size = all.length + queue.length;
  if (reachesEnd && isEnd && size <= count) return readEnd(log, Math.max(WINDOW_PAGE_LINES, size), queue);
  return {
    place: { tag: 'from', from: { tag: 'line', offset: from }, count },
    lines: await linesOf(tx, room, all.slice(0, count)),
    rows: reachesEnd && isEnd ? queue.slice(0, count - all.length) : [],
    queue,
    span,
    isAmended: !span || isAmended(log.spans, span),
    reachesOldest: from === (span?.from ?? loose.find(isLine)?.serverOffset),
    reachesNewest: reachesEnd && !isEnd,
  };
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
