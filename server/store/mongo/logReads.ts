/** Reads of the log by key and by serverOffset, and the heads of rooms. For ranges see readRange.ts, for counts messageCounts.ts. */
import type { Collection } from 'mongodb';
import type { EntryKey, LogStore, Original } from '../port.ts';
import type { AuthorKey, EntryDocument } from './append/commands.ts';
import type { Collections } from './base/collections.ts';
import { askEachCollection, chunks, findByKeys, MAX_LIST, timeOf } from './base/entryDocuments.ts';
import { describeError, isDatabaseError } from './base/faults.ts';
import type { KnownHeads } from './knownHeads.ts';
import { isUnreachable } from './tail/streamFailure.ts';

interface Deps {
  collections: Collections;
  heads: KnownHeads;
  /** Called with the rooms whose head could not be read, and the reason of each. */
  onUnreadable: (rooms: ReadonlyMap<string, string>) => void;
}

export function readsOn({
  collections,
  heads: known,
  onUnreadable,
}: Deps): Pick<LogStore, 'find' | 'heads' | 'timesAt'> {
  return {
    async find(keys) {
      const originals = new Map<EntryKey, Original | undefined>();
      const inRoom = async ([room, its]: [string, EntryKey[]]) => {
        const found = await findByKeys<Original & AuthorKey>(collections, room, its, ORIGINAL_FIELDS);
        for (const [i, key] of its.entries()) originals.set(key, originalOf(found[i]));
      };
      await Promise.all([...Map.groupBy(keys, ({ room }) => room)].map(inRoom));
      return keys.map((key) => originals.get(key));
    },

    async timesAt(points) {
      // in the order of the rooms: so few other offsets as possible are searched for in each
      const different = [...new Map(points.map((point) => [pointKey(point), point])).values()].toSorted(
        (one, other) => (one.room < other.room ? -1 : Number(one.room > other.room)),
      );
      const found = await askEachCollection(collections, different, async (entries, its) => {
        const some = chunks(its, MAX_LIST).map((few) => {
          const rooms = [...new Set(few.map(({ room }) => room))];
          return {
            room: rooms.length === 1 ? rooms[0]! : { $in: rooms }, // for `$in` some planners read each entry of a room
            serverOffset: { $in: [...new Set(few.map(({ serverOffset }) => serverOffset))] },
          };
        });
        const fields = { ...POINT_FIELDS, at: 1 };
        return (
          await Promise.all(
            some.map((where) => entries.find(where).project<EntryPoint & { at: unknown }>(fields).toArray()),
          )
        ).flat();
      });
      const times = new Map(found.map((entry) => [pointKey(entry), timeOf(entry)]));
      return points.map((point) => times.get(pointKey(point)));
    },

    async heads(rooms) {
      const asked = rooms.map((room) => ({ room, serverOffset: known.offsetOf(room) }));
      const failed = new Map<string, string>();
      const found = await askEachCollection(collections, asked, (entries, its) =>
        headsOf(entries, its, failed),
      );
      const newest = new Map<string, number>();
      for (const { room, serverOffset } of found)
        newest.set(room, Math.max(newest.get(room) ?? 0, serverOffset));
      const heads = new Map<string, number>();
      for (const { room, serverOffset } of asked) {
        const head = newest.get(room) ?? 0;
        if (failed.has(room)) continue;
        if (head < serverOffset) {
          known.doubt(room);
          failed.set(room, 'its log ends before entries that were already acknowledged');
        } else heads.set(room, head);
      }
      for (const [room, head] of heads) known.learn(room, head);
      if (failed.size > 0) onUnreadable(failed);
      return heads;
    },
  };
}

/** A room that cannot be read is added to `failed` with the reason. Rejects where the whole database is away. */
async function headsOf(
  entries: Collection<EntryDocument>,
  from: readonly EntryPoint[],
  failed: Map<string, string>,
): Promise<EntryPoint[]> {
  if (from.length <= FEW) return headsOneByOne(entries, from, failed);
  const many = await headsTogether(entries, from).catch((error: unknown) => {
    if (!isDatabaseError(error) || isUnreachable(error)) throw error;
    return undefined;
  });
  if (!many) return headsOneByOne(entries, from, failed);
  // rooms with a document that was inserted by hand and whose serverOffset is no number
  const invalid = new Set(many.filter(({ serverOffset }) => !isOffset(serverOffset)).map(({ room }) => room));
  if (invalid.size === 0) return many;
  const again = from.filter(({ room }) => invalid.has(room));
  return [...many.filter(({ room }) => !invalid.has(room)), ...(await headsOneByOne(entries, again, failed))];
}

/** One query per room, starting at the cached head: not every server uses the indexes for the queries of `headsTogether`. */
async function headsOneByOne(
  entries: Collection<EntryDocument>,
  from: readonly EntryPoint[],
  failed: Map<string, string>,
): Promise<EntryPoint[]> {
  const asked = await Promise.all(
    from.map(async ({ room, serverOffset }) => {
      try {
        return await entries
          .find({ room, serverOffset: { $gte: serverOffset } })
          .project<EntryPoint>(POINT_FIELDS)
          .sort({ serverOffset: -1 })
          .limit(1)
          .toArray();
      } catch (error) {
        if (!isDatabaseError(error) || isUnreachable(error)) throw error;
        failed.set(room, describeError(error));
        return [];
      }
    }),
  );
  const found = asked.flat();
  for (const { room, serverOffset } of found)
    if (!isOffset(serverOffset)) failed.set(room, 'the serverOffset of its newest entry is no whole number');
  return found;
}

function isOffset(value: unknown): boolean {
  return Number.isSafeInteger(value);
}

/** Where a head is cached, reads on from there, mostly one entry; of the others, one index step each (DISTINCT_SCAN). */
async function headsTogether(
  entries: Collection<EntryDocument>,
  from: readonly EntryPoint[],
): Promise<EntryPoint[]> {
  const cached = from.filter(({ serverOffset }) => serverOffset > 0);
  const uncached = from.filter(({ serverOffset }) => serverOffset === 0).map(({ room }) => room);
  const since = cached.map(({ room, serverOffset }) => ({ room, serverOffset: { $gte: serverOffset } }));
  const newest = [
    { $match: { room: { $in: uncached } } },
    { $sort: { room: -1, serverOffset: -1 } },
    { $group: { _id: '$room', serverOffset: { $first: '$serverOffset' } } },
    { $project: { _id: 0, room: '$_id', serverOffset: 1 } },
  ];
  const found = await Promise.all([
    cached.length > 0 ? entries.find({ $or: since }).project<EntryPoint>(POINT_FIELDS).toArray() : [],
    uncached.length > 0 ? entries.aggregate<EntryPoint>(newest).toArray() : [],
  ]);
  return found.flat();
}

interface EntryPoint {
  room: string;
  serverOffset: number;
}

/** Rooms read with one query each. */
const FEW = 8;
const ORIGINAL_FIELDS = { serverOffset: 1, at: 1, digest: 1 } as const;
const POINT_FIELDS = { _id: 0, room: 1, serverOffset: 1 };

function pointKey({ room, serverOffset }: EntryPoint): string {
  return `${room} ${serverOffset}`;
}

function originalOf(found: Original | undefined): Original | undefined {
  return found && { serverOffset: found.serverOffset, at: timeOf(found), digest: found.digest };
}
