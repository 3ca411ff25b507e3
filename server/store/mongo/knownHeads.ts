/**
 * The committed heads of rooms: a cache of the greatest serverOffset that was acknowledged to this process, read with read
 * concern majority, or delivered by the tail; and the read of a head from the database. A committed head never goes back,
 * so every read starts at the cached one.
 */
import type { ClientSession } from 'mongodb';
import { createRecentMap } from '../../base/recentMap.ts';
import { Unavailable } from '../port.ts';
import type { RoomHead } from './append/commands.ts';
import type { Collections } from './base/collections.ts';
import { timeOf } from './base/entryDocuments.ts';

export interface KnownHeads {
  /** serverOffset of the cached head; 0 where none is cached. */
  offsetOf(room: string): number;
  /** The cached head with its time; undefined where none is cached, or only its serverOffset. */
  newest(room: string): RoomHead | undefined;
  /** Caches a committed head. `at` is the time of that entry; undefined where it was not read. */
  learn(room: string, serverOffset: number, at?: number): void;
  /** The database answered with a state older than the cached head: `newest` is undefined until it has caught up. */
  doubt(room: string): void;
  /** Resolves with the cached serverOffset once it is greater than `serverOffset`, or after `atMostMs`. */
  beyond(room: string, serverOffset: number, atMostMs: number): Promise<number>;
}

export function createKnownHeads(): KnownHeads {
  const heads = createRecentMap<string, { serverOffset: number; at: number | undefined }>({
    maxEntries: HEADS_MAX,
    keepMs: HEADS_KEPT_MS,
    now: () => performance.now(),
  });
  const waiting = new Map<string, Set<() => void>>();

  const offsetOf = (room: string) => heads.get(room)?.serverOffset ?? 0;

  return {
    offsetOf,
    newest(room) {
      const { serverOffset, at } = heads.get(room) ?? {};
      return serverOffset === undefined || at === undefined ? undefined : { serverOffset, at };
    },
    learn(room, serverOffset, at) {
      const before = heads.get(room);
      if (serverOffset < offsetOf(room) || serverOffset === 0) return;
      if (serverOffset === before?.serverOffset) {
        before.at ??= at;
        return;
      }
      heads.set(room, { serverOffset, at });
      for (const check of waiting.get(room) ?? []) check();
    },
    doubt(room) {
      const head = heads.get(room);
      if (head) head.at = undefined;
    },
    beyond(room, serverOffset, atMostMs) {
      if (offsetOf(room) > serverOffset) return Promise.resolve(offsetOf(room));
      return new Promise((resolve) => {
        const timer = setTimeout(done, atMostMs);
        const check = () => offsetOf(room) > serverOffset && done();
        const checks = waiting.get(room) ?? new Set();
        waiting.set(room, checks.add(check));
        function done() {
          clearTimeout(timer);
          checks.delete(check);
          if (checks.size === 0) waiting.delete(room);
          resolve(offsetOf(room));
        }
      });
    },
  };
}

/**
 * Every room that anybody writes to has one, some 100 bytes. The head of a room that was not used for some hours is read again
 * from its beginning: only then, a primary with an older state would not be noticed.
 */
const HEADS_MAX = 200_000;
const HEADS_KEPT_MS = 6 * 60 * 60 * 1000;

/**
 * Reads the newest committed entry of a room, starting at the cached head. Rejects with `Unavailable` where the answer is
 * older than the cached head.
 */
export async function readHead(
  { entriesOf }: Collections,
  heads: KnownHeads,
  room: string,
  session?: ClientSession,
): Promise<RoomHead> {
  const from = heads.offsetOf(room);
  const [newest] = await entriesOf(room)
    .find({ room, serverOffset: { $gte: from } }, session && { session })
    .project<RoomHead>({ _id: 0, serverOffset: 1, at: 1 })
    .sort({ serverOffset: -1 })
    .limit(1)
    .toArray();
  const head = newest ? { serverOffset: newest.serverOffset, at: timeOf(newest) } : EMPTY;
  if (!Number.isSafeInteger(head.serverOffset)) throw new Unavailable('The log of this room is damaged.');
  if (head.serverOffset < from) {
    heads.doubt(room);
    throw staleAnswer();
  }
  heads.learn(room, head.serverOffset, head.at);
  return head;
}

const EMPTY: RoomHead = { serverOffset: 0, at: 0 };

/** A primary that was just elected, or was deposed and has not noticed; or a backup restored under this process. */
export function staleAnswer(): Unavailable {
  return new Unavailable('The database answers with a state older than what was already written; try again.');
}
