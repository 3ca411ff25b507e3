/** The stretches of a room's log that can be read on without a hole, from the database alone. */
import type { Entry } from '../../shared/entry.ts';
import { isLine } from '../../shared/fold.ts';
import { type UserRead, within } from '../db/schema.ts';
import { collectBack } from './lines.ts';
import type { Quiet } from './quiet.ts';
import { spansOf } from './readSpans.ts';
import { cursorOf, type Span, spanAt } from './spans.ts';

/** What is held without a hole; at the end of the log also what was acknowledged beyond the newest span. */
export interface Segment {
  span: Span | undefined;
  loose: readonly Entry[];
  isEnd: boolean;
}

export interface Log {
  tx: UserRead;
  room: string;
  spans: readonly Span[];
  end: Segment;
  quiet: Quiet | undefined;
}

export async function openLog(tx: UserRead, room: string, quiet?: Quiet): Promise<Log> {
  const spans = await spansOf(tx, room);
  const beyond = within(room, cursorOf(spans) + 1, Number.POSITIVE_INFINITY);
  const loose = await tx.objectStore('detached').getAll(beyond);
  return { tx, room, spans, end: { span: spans.at(-1), loose, isEnd: true }, quiet };
}

/** Where that entry is; undefined when it is gone, since the log was put back. */
export function segmentAt({ spans, end }: Log, offset: number): Segment | undefined {
  if (offset === Number.POSITIVE_INFINITY || end.loose.some((entry) => entry.serverOffset === offset))
    return end;
  const span = spanAt(spans, offset);
  if (!span || span === end.span) return span && end;
  return { span, loose: [], isEnd: false };
}

/** Entries up to `to` that make at least so many lines, if there are as many. */
export async function entriesBack(
  { tx, room, quiet }: Log,
  { span, loose }: Segment,
  to: number,
  count: number,
) {
  const after = loose.filter((entry) => entry.serverOffset <= to);
  const wanted = count - after.filter(isLine).length;
  const held =
    span && wanted > 0 ? await collectBack(tx, room, span.from, Math.min(to, span.to), wanted, quiet) : [];
  return [...held, ...after];
}
