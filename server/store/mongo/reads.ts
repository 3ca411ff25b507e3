/** What is read of the log by keys and places; ranges are in range.ts. */
import type { Collection } from 'mongodb';
import type { EntryKey, LogStore, Original } from '../port.ts';
import type { AuthorKey, EntryDocument } from './append/commands.ts';
import type { Heads } from './heads.ts';
import { chunks, fromThePast, inEach, LIST_MAX, underKeys } from './queries.ts';
import type { Collections } from './schema.ts';

export function readsOn(
  collections: Collections,
  known: Heads,
): Pick<LogStore, 'find' | 'heads' | 'timesAt'> {
  return {
    async find(keys) {
      const originals = new Map<EntryKey, Original | undefined>();
      const inRoom = async ([room, its]: [string, EntryKey[]]) => {
        const found = await underKeys<Original & AuthorKey>(collections, room, its, ORIGINAL);
        for (const [i, key] of its.entries()) originals.set(key, originalOf(found[i]));
      };
      await Promise.all([...Map.groupBy(keys, ({ room }) => room)].map(inRoom));
      return keys.map((key) => originals.get(key));
    },

    async timesAt(points) {
      const found = await inEach(collections, points, async (entries, its) => {
        const some = chunks(its, LIST_MAX).map((few) => ({
          room: { $in: few.map(({ room }) => room) },
          serverOffset: { $in: few.map(({ serverOffset }) => serverOffset) },
        }));
        const fields = { ...PLACE, at: 1 };
        return (
          await Promise.all(
            some.map((where) => entries.find(where).project<Place & { at: number }>(fields).toArray()),
          )
        ).flat();
      });
      const times = new Map(found.map(({ at, ...place }) => [placeOf(place), at]));
      return points.map((point) => times.get(placeOf(point)));
    },

    async heads(rooms) {
      const asked = rooms.map((room) => ({ room, serverOffset: known.known(room) }));
      const found = await inEach(collections, asked, rooms.length > ALONE_MAX ? headsOfMany : headsOfFew);
      const heads = new Map(rooms.map((room) => [room, 0]));
      for (const { room, serverOffset } of found) heads.set(room, Math.max(heads.get(room)!, serverOffset));
      for (const { room, serverOffset } of asked) if (heads.get(room)! < serverOffset) throw fromThePast();
      for (const [room, head] of heads) known.heard(room, head);
      return heads;
    },
  };
}

/** From the heads that are known. One by one, since not every server sees through the questions below. */
async function headsOfFew(entries: Collection<EntryDocument>, from: readonly Place[]): Promise<Place[]> {
  const newest = from.map(({ room, serverOffset }) =>
    entries
      .find({ room, serverOffset: { $gte: serverOffset } })
      .project<Place>(PLACE)
      .sort({ serverOffset: -1 })
      .limit(1)
      .toArray(),
  );
  return (await Promise.all(newest)).flat();
}

/** Where a head is known, mostly that entry alone; of the others, one step each in the index (DISTINCT_SCAN). */
async function headsOfMany(entries: Collection<EntryDocument>, from: readonly Place[]): Promise<Place[]> {
  const begun = from.filter(({ serverOffset }) => serverOffset > 0);
  const fresh = from.filter(({ serverOffset }) => serverOffset === 0).map(({ room }) => room);
  const since = begun.map(({ room, serverOffset }) => ({ room, serverOffset: { $gte: serverOffset } }));
  const newest = [
    { $match: { room: { $in: fresh } } },
    { $sort: { room: -1, serverOffset: -1 } },
    { $group: { _id: '$room', serverOffset: { $first: '$serverOffset' } } },
    { $project: { _id: 0, room: '$_id', serverOffset: 1 } },
  ];
  const found = await Promise.all([
    begun.length > 0 ? entries.find({ $or: since }).project<Place>(PLACE).toArray() : [],
    fresh.length > 0 ? entries.aggregate<Place>(newest).toArray() : [],
  ]);
  return found.flat();
}

interface Place {
  room: string;
  serverOffset: number;
}

const ALONE_MAX = 8;
const ORIGINAL = { serverOffset: 1, at: 1, digest: 1 } as const;
const PLACE = { _id: 0, room: 1, serverOffset: 1 };

function placeOf({ room, serverOffset }: Place): string {
  return `${room} ${serverOffset}`;
}

function originalOf(found: Original | undefined): Original | undefined {
  return found && { serverOffset: found.serverOffset, at: found.at, digest: found.digest };
}
