/** The order of what one sees and of what one says. */
import type { Committed } from '../../../server/store/port.ts';
import type { Entry } from '../../../shared/entry.ts';

export interface TailOrder {
  onOpen(): void;
  onBatch(batch: readonly Committed[]): void;
  onGap(): void;
  /** The last of each room. */
  heads: ReadonlyMap<string, number>;
}

/** A tail tells of every entry of a room, one after the other (L2); after a gap it may begin anywhere again. */
export function createTailOrder(violate: (sentence: string) => void): TailOrder {
  const heads = new Map<string, number>();
  return {
    heads,
    onOpen: () => heads.clear(),
    onGap: () => heads.clear(),
    onBatch(batch) {
      for (const { room, entry } of batch) {
        const head = heads.get(room);
        if (head !== undefined && entry.serverOffset !== head + 1)
          violate(`L2 a tail told of ${entry.serverOffset} of ${room} after ${head}`);
        heads.set(room, entry.serverOffset);
      }
    },
  };
}

/** L5: what one device said in one room stands in the order it was queued; L3, L4: all of it, once. */
export function orderProblems(
  said: readonly { author: string; room: string; keys: readonly string[] }[],
  logs: readonly { room: string; entries: readonly Entry[] }[],
): string[] {
  return said.flatMap(({ author, room, keys }) => {
    const log = logs.find((one) => one.room === room)?.entries ?? [];
    const queued = new Set(keys);
    const theirs = log.filter((entry) => entry.author === author && queued.has(entry.clientOffset));
    const index = keys.findIndex((key, i) => theirs[i]?.clientOffset !== key);
    const where = `${author} in ${room}`;
    if (index >= 0) return [`L5 ${where}: item ${index} of ${keys.length} is missing or out of order`];
    return theirs.length > keys.length
      ? [`L3 ${where}: ${theirs.length} entries of ${keys.length} items`]
      : [];
  });
}

/** What a delete is about stands blank, with all its edits, and nothing else does. */
export function blankProblems({ room, entries }: { room: string; entries: readonly Entry[] }): string[] {
  const deleted = new Set(entries.flatMap((entry) => (entry.kind === 'delete' ? [targetOf(entry)] : [])));
  return entries.flatMap((entry) => {
    if (entry.kind !== 'text' && entry.kind !== 'edit') return [];
    const about = entry.kind === 'edit' ? targetOf(entry) : entry.serverOffset;
    const isBlank = 'deleted' in entry && entry.deleted === true;
    return isBlank === deleted.has(about)
      ? []
      : [`${room}#${entry.serverOffset} is ${isBlank ? '' : 'not '}blank`];
  });
}

/** No entry is stamped before the one before it, whatever the clocks of the processes say. */
export function timeProblems({ room, entries }: { room: string; entries: readonly Entry[] }): string[] {
  return entries.flatMap(({ serverOffset, at }, i) => {
    const before = entries[i - 1]?.at ?? 0;
    return at >= before ? [] : [`${room}#${serverOffset} is of ${at}, the one before it of ${before}`];
  });
}

function targetOf(entry: Entry): number {
  return 'target' in entry && typeof entry.target === 'number' ? entry.target : 0;
}
