/**
 * The messages to which entries of a frame reply, as they stand now. A reply holds no copy of its message: what was edited or
 * deleted since shows in no quote.
 */
import type { Entry } from '../../shared/entry.ts';
import { fold } from '../../shared/fold.ts';
import { isReplacement, repliedTo } from '../../shared/kinds.ts';
import { QUOTE_CODE_POINTS } from '../../shared/limits.ts';
import type { Quote } from '../../shared/protocol/index.ts';
import type { LogStore } from '../store/port.ts';

/** What a quote may add to the size of its reply on the wire, in bytes: QUOTE_CODE_POINTS and the fields around them. */
export const QUOTE_BYTES = 3 * QUOTE_CODE_POINTS + 80;

/**
 * The quotes for replies to messages outside `entries`; each message once. `recent` gives entries from an offset up to the head
 * if memory holds them: most replies are to messages of the last minutes. Rejects where the store does.
 */
export async function quotesFor(
  log: Pick<LogStore, 'entriesAt'>,
  room: string,
  entries: readonly Entry[],
  recent: (from: number) => Entry[] | undefined = () => undefined,
): Promise<Quote[]> {
  const here = new Set(entries.map(({ serverOffset }) => serverOffset));
  const wanted = new Set(
    entries.flatMap((entry) => repliedTo(entry) ?? []).filter((offset) => !here.has(offset)),
  );
  if (wanted.size === 0) return [];
  const held = recent(Math.min(...wanted));
  if (held) return quotesIn(held, [], wanted);
  const found = await log.entriesAt(room, [...wanted]);
  return quotesIn(found.entries, found.amendments, wanted);
}

/** The frame's field, which is absent where there is nothing to quote. */
export function quotesField(quotes: Quote[]): { quotes?: Quote[] } {
  return quotes.length === 0 ? {} : { quotes };
}

/** The quotes of the `wanted` messages by these entries. Pure. */
export function quotesIn(
  entries: readonly Entry[],
  amendments: readonly Entry[],
  wanted: ReadonlySet<number>,
): Quote[] {
  return fold(entries, amendments)
    .filter(({ serverOffset }) => wanted.has(serverOffset))
    .flatMap((line): Quote[] => {
      const { serverOffset } = line;
      if (line.tag === 'deleted') return [{ serverOffset }];
      if (line.tag !== 'text') return [];
      const body = Array.from(line.body.slice(0, 2 * QUOTE_CODE_POINTS))
        .slice(0, QUOTE_CODE_POINTS)
        .join('');
      const replacedBy = [...entries, ...amendments].findLast(
        (entry) =>
          isReplacement(entry) &&
          entry.target === serverOffset &&
          entry.author === line.author &&
          !entry.deleted,
      )?.serverOffset;
      return [{ serverOffset, body, ...(replacedBy === undefined ? {} : { replacedBy }) }];
    });
}
