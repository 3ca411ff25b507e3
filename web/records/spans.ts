/**
 * Arithmetic over spans: which parts of one room's log this device stores. Spans are sorted ascending, never overlap or
 * touch, and cover exactly the stored entries (S1). A hole is a range that no span covers. Pure.
 */
import { CATCH_UP_MAX_ENTRIES, CATCH_UP_NEWEST_MESSAGES, RANGE_MAX_ENTRIES } from '../../shared/limits.ts';

/**
 * All entries from `from` to `to`, both inclusive, are stored. Amendments of them are stored too, if their own
 * serverOffset is at most `amendedTo` (≥ `to`).
 */
export interface Span {
  from: number;
  to: number;
  amendedTo: number;
}

/** serverOffsets, both inclusive. */
export interface OffsetRange {
  from: number;
  to: number;
}

/** The cursor: the end of the newest span, after which the log continues. 0 if nothing is stored. */
export function cursorOf(spans: readonly Span[]): number {
  return spans.at(-1)?.to ?? 0;
}

export function spanAt(spans: readonly Span[], offset: number): Span | undefined {
  return spans.find((span) => span.from <= offset && offset <= span.to);
}

/**
 * The spans after `run` is stored too; undefined if storing it would leave a hole (S2). A run that touches a span extends
 * it. A run that touches none may start a span only if it `opens` one: the first frame of a catch-up, or a requested range.
 */
export function cover(spans: readonly Span[], run: Span, opens: boolean): Span[] | undefined {
  const touching = spans.filter((span) => span.from <= run.to + 1 && run.from <= span.to + 1);
  if (touching.length === 0 && !opens && run.from !== cursorOf(spans) + 1) return undefined;
  const rest = spans.filter((span) => !touching.includes(span));
  return [...rest, touching.reduce(join, run)].sort((a, b) => a.from - b.from);
}

/** The end of the contiguous spans after `amendedTo`: amendments up to there are stored. */
export function knownUpTo(spans: readonly Span[], amendedTo: number): number {
  return spans.reduce(
    (known, span) => (span.from <= known + 1 && span.to > known ? span.to : known),
    amendedTo,
  );
}

/** All amendments up to the cursor are stored. */
export function isAmended(spans: readonly Span[], { amendedTo }: Span): boolean {
  return knownUpTo(spans, amendedTo) >= cursorOf(spans);
}

/**
 * The parts of `seen` whose amendments may be missing, so they have to be requested (S3): they lie in spans with
 * `amendedTo` below the cursor, and `checked` does not cover them.
 */
export function staleIn(spans: readonly Span[], checked: readonly Span[], seen: OffsetRange): OffsetRange[] {
  const fresh = checked.filter((span) => isAmended(spans, span));
  return spans
    .filter((span) => !isAmended(spans, span))
    .map((span) => ({ from: Math.max(span.from, seen.from), to: Math.min(span.to, seen.to) }))
    .flatMap((part) => subtractRanges(part, fresh));
}

/** What is left of a range after subtracting these. `taken` ascends. */
export function subtractRanges({ from, to }: OffsetRange, taken: readonly OffsetRange[]): OffsetRange[] {
  const left: OffsetRange[] = [];
  let next = from;
  for (const one of taken) {
    if (one.from > next) left.push({ from: next, to: Math.min(to, one.from - 1) });
    next = Math.max(next, one.to + 1);
  }
  if (next <= to) left.push({ from: next, to });
  return left.filter((piece) => piece.from <= piece.to);
}

/** The hole around an offset, its end `Infinity` beyond the newest span; undefined if the offset is stored. */
export function holeAt(spans: readonly Span[], offset: number): OffsetRange | undefined {
  return subtractRanges({ from: 1, to: Number.POSITIVE_INFINITY }, spans).find(
    ({ from, to }) => from <= offset && offset <= to,
  );
}

/** The holes between spans, ascending, without the one below the oldest span. */
export function holesBetween(spans: readonly Span[]): OffsetRange[] {
  const [oldest] = spans;
  return oldest ? subtractRanges({ from: oldest.from, to: cursorOf(spans) }, spans) : [];
}

/** The hole directly below the span that begins at `from`. */
export function holeBelow(spans: readonly Span[], from: number): OffsetRange | undefined {
  const below = spans.filter((span) => span.to < from).at(-1)?.to ?? 0;
  return below + 1 < from ? { from: below + 1, to: from - 1 } : undefined;
}

/** The hole between the span that ends at `to` and the next one; undefined for the newest span. */
export function holeAbove(spans: readonly Span[], to: number): OffsetRange | undefined {
  const above = spans.find((span) => span.from > to);
  return above && { from: to + 1, to: above.from - 1 };
}

/**
 * The next range to request if the head is beyond the cursor, at most `most` entries. If many entries are missing, the
 * newest come first (S3); that range extends beyond the head, so that it still reaches a head that has moved meanwhile.
 */
export function missingRange(cursor: number, head: number, most: number): OffsetRange | undefined {
  if (head <= cursor) return undefined;
  if (head - cursor <= CATCH_UP_MAX_ENTRIES) return { from: cursor + 1, to: cursor + most };
  const newest = Math.min(CATCH_UP_NEWEST_MESSAGES, most);
  return { from: head + 1 - newest, to: head + Math.min(newest, RANGE_MAX_ENTRIES - newest) };
}

/** Raises `amendedTo` of the spans that lie entirely within a checked one. */
export function raiseAmendedTo(spans: readonly Span[], checked: readonly Span[]): Span[] {
  return spans.map((span) => {
    const by = checked.find((each) => each.from <= span.from && span.to <= each.to);
    return by && by.amendedTo > span.amendedTo ? { ...span, amendedTo: by.amendedTo } : span;
  });
}

/** The fewest ranges that consist of exactly these offsets, each of at most `most` entries. */
export function contiguousRanges(offsets: readonly number[], most: number): OffsetRange[] {
  const ranges: OffsetRange[] = [];
  for (const offset of [...offsets].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last && offset <= last.to + 1 && offset - last.from < most) last.to = offset;
    else ranges.push({ from: offset, to: offset });
  }
  return ranges;
}

/** Merges two spans that overlap or touch. Each also contains amendments of the other. */
function join(a: Span, b: Span): Span {
  const from = Math.min(a.from, b.from);
  const to = Math.max(a.to, b.to);
  const known = [a, b].map((span) => Math.max(span.amendedTo, to)) as [number, number];
  const holdsAll = (span: Span) => span.from === from && span.to === to;
  if (holdsAll(a) && holdsAll(b)) return { from, to, amendedTo: Math.max(...known) };
  if (holdsAll(a)) return { from, to, amendedTo: known[0] };
  if (holdsAll(b)) return { from, to, amendedTo: known[1] };
  return { from, to, amendedTo: Math.min(...known) };
}
