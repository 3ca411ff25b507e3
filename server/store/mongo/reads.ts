/** What is read of the log by keys and places; ranges are in range.ts, counts of messages in messages.ts. */
import type { Collection } from 'mongodb';
import type { EntryKey, LogStore, Original } from '../port.ts';
import type { AuthorKey, EntryDocument } from './append/commands.ts';
import { timeOf } from './entry.ts';
import { isOfTheDatabase, messageOf } from './faults.ts';
import type { Heads } from './heads.ts';
import { chunks, inEach, LIST_MAX, underKeys } from './queries.ts';
import type { Collections } from './schema.ts';
import { isAway } from './tailFailure.ts';

interface Deps {
  collections: Collections;
  heads: Heads;
  /** Of some rooms the head could not be told: the reason by room. */
  onLost: (rooms: ReadonlyMap<string, string>) => void;
}

export function readsOn({
  collections,
  heads: known,
  onLost,
}: Deps): Pick<LogStore, 'find' | 'heads' | 'timesAt'> {
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
            some.map((where) => entries.find(where).project<Place & { at: unknown }>(fields).toArray()),
          )
        ).flat();
      });
      const times = new Map(found.map((entry) => [placeOf(entry), timeOf(entry)]));
      return points.map((point) => times.get(placeOf(point)));
    },

    async heads(rooms) {
      const asked = rooms.map((room) => ({ room, serverOffset: known.known(room) }));
      const failed = new Map<string, string>();
      const found = await inEach(collections, asked, (entries, its) => headsOf(entries, its, failed));
      const newest = new Map<string, number>();
      for (const { room, serverOffset } of found)
        newest.set(room, Math.max(newest.get(room) ?? 0, serverOffset));
      const heads = new Map<string, number>();
      for (const { room, serverOffset } of asked) {
        const head = newest.get(room) ?? 0;
        if (failed.has(room)) continue;
        if (head < serverOffset) {
          known.doubt(room);
          failed.set(room, 'its log ends before what is known to be written');
        } else heads.set(room, head);
      }
      for (const [room, head] of heads) known.heard(room, head);
      if (failed.size > 0) onLost(failed);
      return heads;
    },
  };
}

/** A room that fails alone is put among `failed`, with the reason. Rejects where the database is away. */
async function headsOf(
  entries: Collection<EntryDocument>,
  from: readonly Place[],
  failed: Map<string, string>,
): Promise<Place[]> {
  if (from.length <= ALONE_MAX) return headsOfFew(entries, from, failed);
  const many = await headsOfMany(entries, from).catch((error: unknown) => {
    if (!isOfTheDatabase(error) || isAway(error)) throw error;
    return undefined;
  });
  if (!many) return headsOfFew(entries, from, failed);
  // somebody put something there by hand that has no number
  const odd = new Set(many.filter(({ serverOffset }) => !isOffset(serverOffset)).map(({ room }) => room));
  const alone =
    odd.size > 0
      ? await headsOfFew(
          entries,
          from.filter(({ room }) => odd.has(room)),
          failed,
        )
      : [];
  return [...many.filter(({ room }) => !odd.has(room)), ...alone];
}

/** From the heads that are known. One by one, since not every server sees through the questions below. */
async function headsOfFew(
  entries: Collection<EntryDocument>,
  from: readonly Place[],
  failed: Map<string, string>,
): Promise<Place[]> {
  const asked = await Promise.all(
    from.map(async ({ room, serverOffset }) => {
      try {
        return await entries
          .find({ room, serverOffset: { $gte: serverOffset } })
          .project<Place>(PLACE)
          .sort({ serverOffset: -1 })
          .limit(1)
          .toArray();
      } catch (error) {
        if (!isOfTheDatabase(error) || isAway(error)) throw error;
        failed.set(room, messageOf(error));
        return [];
      }
    }),
  );
  const found = asked.flat();
  for (const { room, serverOffset } of found)
    if (!isOffset(serverOffset))
      failed.set(room, 'its newest entry has no number that one could count on from');
  return found;
}

function isOffset(value: unknown): boolean {
  return Number.isSafeInteger(value);
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
  return found && { serverOffset: found.serverOffset, at: timeOf(found), digest: found.digest };
}
