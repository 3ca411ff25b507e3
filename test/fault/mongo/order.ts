/** Checks of order: of the entries in a tail, and of the items of a device. */
import type { Committed } from '../../../server/store/port.ts';
import type { Entry } from '../../../shared/entry.ts';

export interface TailOrder {
  onOpen(): void;
  onBatch(batch: readonly Committed[]): void;
  onGap(): void;
  /** The last serverOffset of each room. */
  heads: ReadonlyMap<string, number>;
}

/** A tail delivers every entry of a room in order (L2); after a reported gap it may continue at any entry. */
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

/** L5: the items of one device in one room are in the order of queueing; L3, L4: all of them are there, once. */
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

/** A deleted entry and all its edits are redacted, and no other entry is. */
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

/** `at` never decreases within a room, though the clocks of the processes differ. */
export function timeProblems({ room, entries }: { room: string; entries: readonly Entry[] }): string[] {
  return entries.flatMap(({ serverOffset, at }, i) => {
    const before = entries[i - 1]?.at ?? 0;
    return at >= before ? [] : [`${room}#${serverOffset} is of ${at}, the one before it of ${before}`];
  });
}

/** No entry is of a later time than now, though the clock of a process is ahead. */
export function futureProblems({ room, entries }: { room: string; entries: readonly Entry[] }): string[] {
  const latest = Date.now() + CLOCKS_APART_MS;
  return entries.flatMap(({ serverOffset, at }) =>
    at <= latest ? [] : [`${room}#${serverOffset} is ${at - latest} ms in the future`],
  );
}

const CLOCKS_APART_MS = 10_000;

function targetOf(entry: Entry): number {
  return 'target' in entry && typeof entry.target === 'number' ? entry.target : 0;
}
