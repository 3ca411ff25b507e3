/**
 * The window: the part of a conversation that is read for the screen. Stored lines, the gaps between them (the lines that
 * stand for holes: entries that are not stored), and after the newest line the outbox rows. The user can scroll to
 * anything stored, also across a gap.
 */
import type { Entry } from '../../../shared/entry.ts';
import type { Line } from '../../../shared/fold.ts';
import { readSpans } from '../../db/lookups.ts';
import type { UserRead } from '../../db/userDatabase.ts';
import { WINDOW_PAGE_LINES } from '../../records/pageLimits.ts';
import { cursorOf, isAmended, type Span, spanAt, subtractRanges } from '../../records/spans.ts';
import { readMemberships } from './membershipRuns.ts';
import { foldLines, readLinesBack, readLinesForward } from './readLines.ts';

/** A line of the log by its serverOffset, or an outbox row by its `seq`. */
export type Position = { tag: 'line'; offset: number } | { tag: 'row'; seq: number };

/**
 * Where the window is: the newest `count` lines and rows; or `count` from a line or a row on; or `count` around an entry,
 * `before` of them above it. The last kind keeps the entry in view while a gap beside it is filled; the entry may itself lie
 * in a hole, as long as a line after it is stored.
 */
export type WindowAnchor =
  | { tag: 'newest'; count: number }
  | { tag: 'from'; from: Position; count: number }
  | { tag: 'around'; offset: number; before: number; count: number };

/** Between two lines, or after the last one, entries from `from` to `to` are not stored. */
export interface Gap {
  tag: 'gap';
  from: number;
  to: number;
}

/** The end at which a gap is filled: `upper` with its newest entries, `lower` with its oldest. */
export type GapEdge = 'upper' | 'lower';

/** What of a line decides how the next one is drawn: whether a group of messages or a day begins with that. */
export type LineAbove = Pick<Entry, 'author' | 'at'>;

export interface Window {
  anchor: WindowAnchor;
  lines: Line[];
  /** The stored line directly above the first one. Undefined if the window begins with an outbox row, or there is none. */
  above: LineAbove | undefined;
  /** Ascending, at most one between two lines. */
  gaps: Gap[];
  /** Joins and leaves between the lines, directly above the first, and after the last where the window reaches the end. */
  memberships: Entry[];
  /** The part of `queue` in the window, after its lines. */
  rows: readonly number[];
  /** All visible outbox rows of the room, by `seq`, in order. */
  queue: readonly number[];
  /** The span of the first line; without lines the newest span. Undefined if the line is in no span. */
  span: Span | undefined;
  /** The end of the newest span, 0 if nothing is stored. Detached entries may lie beyond. */
  cursor: number;
  /** All amendments of the lines are stored. */
  isAmended: boolean;
  /** No older line is stored. */
  reachesOldest: boolean;
  /** If so: the entry above the newest hole below. Undefined if everything older is stored. */
  olderFrom: number | undefined;
}

interface Log {
  tx: UserRead;
  room: string;
  /** Read in parallel with the lines. */
  spans: Promise<Span[]>;
  queue: readonly number[];
}

export const AT_NEWEST: WindowAnchor = { tag: 'newest', count: WINDOW_PAGE_LINES };

export async function readWindow(
  tx: UserRead,
  room: string,
  anchor: WindowAnchor,
  queue: readonly number[],
): Promise<Window> {
  const log: Log = { tx, room, spans: readSpans(tx, room), queue };
  log.spans.catch(() => {}); // no "unhandled rejection" if another read fails before it is awaited
  if (anchor.tag === 'newest') return readEnd(log, anchor.count);
  if (anchor.tag === 'around') return readAround(log, anchor);
  if (anchor.from.tag === 'line') {
    const { offset } = anchor.from;
    return (await isStored(tx, room, offset)) ? readForward(log, offset, anchor.count) : readNewest(log);
  }
  const { seq } = anchor.from;
  const rest = queue.filter((each) => each >= seq);
  if (rest.length === 0) return readNewest(log);
  if (rest.length <= anchor.count) return readEnd(log, Math.max(WINDOW_PAGE_LINES, rest.length));
  const from: Position = { tag: 'row', seq: rest[0]! };
  return windowOf(log, { anchor: { ...anchor, from }, entries: [], rows: rest.slice(0, anchor.count) });
}

/** A window with the entry in the middle. */
export function anchorAround(offset: number): WindowAnchor {
  return { tag: 'around', offset, before: WINDOW_PAGE_LINES >> 1, count: WINDOW_PAGE_LINES };
}

/** The line or row `count` places before `position`, or the first stored one. */
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
  const [first] = await readLinesBack(tx, room, before - 1, count - ahead.length);
  if (first) return { tag: 'line', offset: first.serverOffset };
  return ahead.length > 0 ? { tag: 'row', seq: ahead[0]! } : position;
}

/** The outbox row in the middle of the window, if a row is there. */
export function middleRow({ lines, rows }: Window): number | undefined {
  return rows[((lines.length + rows.length) >> 1) - lines.length];
}

/** The entry is stored, in a span or as a detached one. */
export async function isStored(tx: UserRead, room: string, offset: number): Promise<boolean> {
  if (spanAt(await readSpans(tx, room), offset)) return true;
  return (await tx.objectStore('detached').getKey([room, offset])) !== undefined;
}

async function readEnd(log: Log, count: number): Promise<Window> {
  const { tx, room, queue } = log;
  const rows = queue.slice(-count);
  const wanted = count - rows.length;
  // one more than is shown: if there is none, no older line is stored (S3)
  const all = await readLinesBack(tx, room, Number.POSITIVE_INFINITY, wanted + 1);
  const entries = all.slice(Math.max(0, all.length - wanted));
  const reachesOldest = rows.length === queue.length && entries.length === all.length;
  const above = entries.length < all.length ? all[0] : undefined;
  return windowOf(log, {
    anchor: { tag: 'newest', count },
    entries,
    above,
    rows,
    reachesOldest,
    reachesEnd: true,
  });
}

function readNewest(log: Log): Promise<Window> {
  return readEnd(log, AT_NEWEST.count);
}

async function readForward(log: Log, from: number, count: number): Promise<Window> {
  const { tx, room, queue } = log;
  const all = await readLinesForward(tx, room, from, count + 1);
  const reachesEnd = all.length <= count;
  const size = all.length + queue.length;
  if (reachesEnd && size <= count) return readEnd(log, Math.max(WINDOW_PAGE_LINES, size));
  const anchor: WindowAnchor = { tag: 'from', from: { tag: 'line', offset: from }, count };
  return readLines(log, anchor, all, reachesEnd);
}

async function readAround(log: Log, anchor: Extract<WindowAnchor, { tag: 'around' }>): Promise<Window> {
  const { tx, room } = log;
  const { offset, before, count } = anchor;
  const above = await readLinesBack(tx, room, offset - 1, before);
  const wanted = count - above.length;
  const below = await readLinesForward(tx, room, offset, wanted + 1);
  if (below.length === 0 && !(await isStored(tx, room, offset))) return readNewest(log);
  return readLines(log, anchor, [...above, ...below], below.length <= wanted);
}

/** A window of the first `count` of these lines. If they reach the end of the log, outbox rows follow. */
async function readLines(
  log: Log,
  anchor: Exclude<WindowAnchor, { tag: 'newest' }>,
  all: readonly Entry[],
  reachesEnd: boolean,
): Promise<Window> {
  const entries = all.slice(0, anchor.count);
  const rows = reachesEnd ? log.queue.slice(0, anchor.count - entries.length) : [];
  const first = entries[0]?.serverOffset ?? 0;
  const [above] = await readLinesBack(log.tx, log.room, first - 1, 1);
  return windowOf(log, { anchor, entries, above, rows, reachesOldest: above === undefined, reachesEnd });
}

interface Shown {
  anchor: WindowAnchor;
  entries: readonly Entry[];
  above?: Entry | undefined;
  rows: readonly number[];
  reachesOldest?: boolean;
  /** No newer line is stored. */
  reachesEnd?: boolean;
}

async function windowOf(
  { tx, room, spans: reading, queue }: Log,
  { anchor, entries, above, rows, reachesOldest = false, reachesEnd = false }: Shown,
): Promise<Window> {
  const spans = await reading;
  const cursor = cursorOf(spans);
  const [first, last] = [entries[0]?.serverOffset, entries.at(-1)?.serverOffset];
  const isSeen = ({ from, to }: Span) => from <= (last ?? 0) && to >= (first ?? 0);
  const span = first === undefined ? spans.at(-1) : spanAt(spans, first);
  const shown = {
    from: Math.max((above?.serverOffset ?? 0) + 1, span?.from ?? first ?? 1),
    to: Math.max(reachesEnd ? cursor : 0, last ?? 0),
  };
  const offsets = entries.map(({ serverOffset }) => serverOffset);
  const [lines, memberships] = await Promise.all([
    foldLines(tx, room, entries),
    readMemberships(tx, room, shown, offsets),
  ]);
  return {
    anchor,
    lines,
    above:
      above && first !== undefined && isJoined(spans, above.serverOffset, first)
        ? { author: above.author, at: above.at }
        : undefined,
    gaps: gapsOf(spans, entries, reachesEnd ? cursor : 0),
    memberships,
    rows,
    queue,
    span,
    cursor,
    isAmended: spans.filter(isSeen).every((span) => isAmended(spans, span)),
    reachesOldest,
    olderFrom: reachesOldest ? olderFrom(spans, first ?? cursor + 1) : undefined,
  };
}

/** Everything between the two entries is stored: no gap will come between them. */
function isJoined(spans: readonly Span[], above: number, below: number): boolean {
  return subtractRanges({ from: above + 1, to: below - 1 }, spans).length === 0;
}

/** `cursor`: up to where a gap after the last line is looked for. */
function gapsOf(spans: readonly Span[], entries: readonly Entry[], cursor: number): Gap[] {
  const gaps: Gap[] = [];
  for (const [i, { serverOffset }] of entries.entries()) {
    const from = serverOffset + 1;
    const to = (entries[i + 1]?.serverOffset ?? cursor + 1) - 1;
    const holes = from <= to ? subtractRanges({ from, to }, spans) : [];
    // a span without lines between two holes renders nothing, so they are one gap
    if (holes.length > 0) gaps.push({ tag: 'gap', from: holes[0]!.from, to: holes.at(-1)!.to });
  }
  return gaps;
}

/** The entry above the newest hole below `below`. */
function olderFrom(spans: readonly Span[], below: number): number | undefined {
  const hole = subtractRanges({ from: 1, to: below - 1 }, spans).at(-1);
  return hole && hole.to + 1;
}

export function positionsOf({ lines, rows }: Window): Position[] {
  return [
    ...lines.map(({ serverOffset }): Position => ({ tag: 'line', offset: serverOffset })),
    ...rows.map((seq): Position => ({ tag: 'row', seq })),
  ];
}

export function sizeOf({ lines, rows }: Window): number {
  return lines.length + rows.length;
}
