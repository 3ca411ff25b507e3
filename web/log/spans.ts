/**
 * Arithmetic of what is held of one room's log. Spans ascend, never touch each other, and cover only what is held (S1).
 * Pure.
 */
import { CATCH_UP_MAX_ENTRIES, CATCH_UP_NEWEST_MESSAGES, RANGE_MAX_ENTRIES } from '../../shared/limits.ts';

/** An unbroken run from `from` to `to`, both held; what amends it is known up to `amendedTo`, which is at least `to`. */
export interface Span {
  from: number;
  to: number;
  amendedTo: number;
}

export interface Stretch {
  from: number;
  to: number;
}

/** The end of the newest span: where the log goes on. 0 when nothing is held. */
export function cursorOf(spans: readonly Span[]): number {
  return spans.at(-1)?.to ?? 0;
}

export function spanAt(spans: readonly Span[], offset: number): Span | undefined {
  return spans.find((span) => span.from <= offset && offset <= span.to);
}

/**
 * The spans once `run` is held too; undefined where it would leave a hole (S2). A run that touches a span grows it. One
 * that touches none is taken only if it `opens` a span: the beginning of a catch-up, or a range, wherever it lies.
 */
export function cover(spans: readonly Span[], run: Span, opens: boolean): Span[] | undefined {
  const touching = spans.filter((span) => span.from <= run.to + 1 && run.from <= span.to + 1);
  if (touching.length === 0 && !opens && run.from !== cursorOf(spans) + 1) return undefined;
  const rest = spans.filter((span) => !touching.includes(span));
  return [...rest, touching.reduce(join, run)].sort((a, b) => a.from - b.from);
}

/** Up to where everything after `amendedTo` is held without a hole: what amends was seen so far. */
export function knownUpTo(spans: readonly Span[], amendedTo: number): number {
  return spans.reduce(
    (known, span) => (span.from <= known + 1 && span.to > known ? span.to : known),
    amendedTo,
  );
}

/** True when what amends it is known up to the cursor. */
export function isAmended(spans: readonly Span[], { amendedTo }: Span): boolean {
  return knownUpTo(spans, amendedTo) >= cursorOf(spans);
}

/**
 * What of `seen` has to be asked again: it lies in a span, less what `checked` covers, whose amendments are known only
 * up to below the cursor (S3).
 */
export function staleIn(spans: readonly Span[], checked: readonly Span[], seen: Stretch): Stretch[] {
  const fresh = checked.filter((span) => isAmended(spans, span));
  return spans
    .filter((span) => !isAmended(spans, span))
    .map((span) => ({ from: Math.max(span.from, seen.from), to: Math.min(span.to, seen.to) }))
    .flatMap((part) => without(part, fresh));
}

/** What is left of a stretch once these, ascending, are taken out. */
export function without({ from, to }: Stretch, taken: readonly Stretch[]): Stretch[] {
  const left: Stretch[] = [];
  let next = from;
  for (const one of taken) {
    if (one.from > next) left.push({ from: next, to: Math.min(to, one.from - 1) });
    next = Math.max(next, one.to + 1);
  }
  if (next <= to) left.push({ from: next, to });
  return left.filter((piece) => piece.from <= piece.to);
}

/** What is not held around that place, up to `Infinity` beyond the newest span; undefined where it is held. */
export function holeAt(spans: readonly Span[], offset: number): Stretch | undefined {
  return without({ from: 1, to: Number.POSITIVE_INFINITY }, spans).find(
    ({ from, to }) => from <= offset && offset <= to,
  );
}

/** What is not held between spans, ascending: what lies below the oldest one is no such hole. */
export function holesBetween(spans: readonly Span[]): Stretch[] {
  const [oldest] = spans;
  return oldest ? without({ from: oldest.from, to: cursorOf(spans) }, spans) : [];
}

/** What is not held directly below the span that begins at `from`. */
export function holeBelow(spans: readonly Span[], from: number): Stretch | undefined {
  const below = spans.filter((span) => span.to < from).at(-1)?.to ?? 0;
  return below + 1 < from ? { from: below + 1, to: from - 1 } : undefined;
}

/** What is not held between the span that ends at `to` and the next one; undefined for the newest. */
export function holeAbove(spans: readonly Span[], to: number): Stretch | undefined {
  const above = spans.find((span) => span.from > to);
  return above && { from: to + 1, to: above.from - 1 };
}

/**
 * What to ask for when the head is known to be further than the cursor, `most` at once. The newest come first when much
 * is missing (S3); that range asks beyond the head, so that it reaches it even if the head has moved on.
 */
export function missing(cursor: number, head: number, most: number): Stretch | undefined {
  if (head <= cursor) return undefined;
  if (head - cursor <= CATCH_UP_MAX_ENTRIES) return { from: cursor + 1, to: cursor + most };
  const newest = Math.min(CATCH_UP_NEWEST_MESSAGES, most);
  return { from: head + 1 - newest, to: head + Math.min(newest, RANGE_MAX_ENTRIES - newest) };
}

/** The spans that lie whole within what was checked know as much as that. */
export function raised(spans: readonly Span[], checked: readonly Span[]): Span[] {
  return spans.map((span) => {
    const by = checked.find((each) => each.from <= span.from && span.to <= each.to);
    return by && by.amendedTo > span.amendedTo ? { ...span, amendedTo: by.amendedTo } : span;
  });
}

/** As few stretches as hold these places, each of at most so many. */
export function stretchesOf(offsets: readonly number[], most: number): Stretch[] {
  const stretches: Stretch[] = [];
  for (const offset of [...offsets].sort((a, b) => a - b)) {
    const last = stretches.at(-1);
    if (last && offset <= last.to + 1 && offset - last.from < most) last.to = offset;
    else stretches.push({ from: offset, to: offset });
  }
  return stretches;
}

/** Two that overlap or touch, as one. Each also knows the amendments that the other holds. */
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
