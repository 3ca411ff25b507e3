/** Users, and their names. For devices see devices/. */
import { type Named, Unavailable, type UserStore } from '../port.ts';
import { withRename } from '../renames.ts';
import { type Collections, HAS_REV, META_ID, type UserDocument } from './base/collections.ts';
import { ONE_ANSWER } from './base/entryDocuments.ts';
import { isDuplicate } from './base/faults.ts';
import { type DeviceCalls, devicesOn, type TokenLookup, USER_FIELDS, userOf } from './devices/deviceStore.ts';
import { mixedDevicesOn } from './devices/embeddedDevices.ts';
import type { VersionWatch } from './open/databaseVersion.ts';
import { passesOn } from './passStore.ts';

/** The arguments of `changedAround`. */
export interface ChangesAsked {
  user: string;
  rev: number;
  limit: number;
}

export interface ChangesLookup {
  /** `changedAround` of each of these, in their order. */
  changedAroundEach(asked: readonly ChangesAsked[]): Promise<Changed[][]>;
}

export function usersOn(
  collections: Collections,
  version: Omit<VersionWatch, 'close'>,
  now: () => number,
): Omit<UserStore, 'byToken' | 'changedAround'> & TokenLookup & ChangesLookup {
  const { users, members, meta } = collections;
  const own = devicesOn(collections, now);
  const mixed = mixedDevicesOn({ collections, own, version });

  /** The next revision, unique and increasing over all processes. */
  async function nextRev(): Promise<number> {
    const counted = await meta.findOneAndUpdate(
      { _id: META_ID },
      { $inc: { usersRev: 1 } },
      { returnDocument: 'after', projection: { usersRev: 1 } },
    );
    return counted!.usersRev!;
  }

  async function changedSince(rev: number, limit: number): Promise<Changed[]> {
    const found = await users
      .find({ rev: { $gt: Math.max(rev, 0) } })
      .project<NamedDocument>(NAMED)
      .sort({ rev: 1 })
      .limit(limit)
      .toArray();
    return found.map((document) => ({ id: document._id, ...namedOf(document) }));
  }

  /** The rooms of each of these users, by user; where `rooms` is given, only these. */
  async function roomsOf(ids: readonly string[], rooms?: readonly string[]): Promise<Map<string, string[]>> {
    if (ids.length === 0 || rooms?.length === 0) return new Map();
    const found = await members
      .find(
        { user: { $in: [...ids] }, present: true, ...(rooms && { room: { $in: [...rooms] } }) },
        { batchSize: ONE_ANSWER },
      )
      .project<{ user: string; room: string }>({ _id: 0, user: 1, room: 1 })
      .toArray();
    const byUser = Map.groupBy(found, ({ user }) => user);
    return new Map([...byUser].map(([user, its]) => [user, its.map(({ room }) => room)]));
  }

  return {
    ...eachCall(own, (name) => (version.mayHaveEmbeddedDevices() ? mixed : own)[name]),
    ...passesOn(collections),
    byNameKey: async (nameKey) => userOf(await users.findOne({ nameKey }, { projection: USER_FIELDS })),
    byId: async (id) => userOf(await users.findOne({ _id: id }, { projection: USER_FIELDS })),
    async setRecovery(id, recoveryHash) {
      await users.updateOne({ _id: id }, { $set: { recoveryHash } });
    },
    async search(nameKey, limit) {
      const found = await users
        .find({ nameKey: { $gte: nameKey, $lt: `${nameKey}${LAST_CHARACTER}` } })
        .project<NamedDocument>(NAMED)
        .sort({ nameKey: 1 })
        .limit(limit)
        .toArray();
      return found.map((document) => ({ id: document._id, ...namedOf(document) }));
    },
    async names(ids) {
      const found = await users
        .find({ _id: { $in: [...ids] } })
        .project<NamedDocument>(NAMED)
        .toArray();
      return new Map(found.map((document) => [document._id, namedOf(document)]));
    },
    async rename(id, name, nameKey, limit) {
      const other = await users.findOne({ nameKey, _id: { $ne: id } }, { projection: { _id: 1 } });
      if (other) return 'taken';
      for (let tries = 0; tries < RENAME_TRIES; tries++) {
        const before = await users.findOne({ _id: id }, { projection: { rev: 1, renames: 1 } });
        const renames = limit && withRename(before?.renames ?? [], limit);
        if (renames && !Array.isArray(renames)) return renames;
        const rev = await nextRev();
        // another rename of this user may have taken a greater revision meanwhile: then ours needs the next one
        const older = { $or: [{ rev: { $exists: false } }, { rev: { $lt: rev } }] };
        const unchanged = { rev: before?.rev ?? { $exists: false } }; // one that counts must have seen all that count
        try {
          const { matchedCount } = await users.updateOne(
            { _id: id, ...(renames ? unchanged : older) },
            { $set: { name, nameKey, rev, ...(renames && { renames }) } },
          );
          if (matchedCount > 0) return { name, rev };
        } catch (error) {
          if (isDuplicate(error)) return 'taken';
          throw error;
        }
      }
      throw new Unavailable('This user is being renamed elsewhere; try again.');
    },
    changedSince,
    async changedAroundEach(asked) {
      const roomsByUser = await roomsOf(asked.map(({ user }) => user));
      const all = asked.map(({ user, rev, limit }) => ({
        rooms: new Set(roomsByUser.get(user)),
        after: rev,
        limit,
        around: [] as Changed[],
      }));
      // from the least revision on; a page is for all who have not read beyond it
      let open = all.filter(({ rooms }) => rooms.size > 0);
      while (open.length > 0) {
        const changed = await changedSince(Math.min(...open.map(({ after }) => after)), PAGE);
        const upTo = changed.length < PAGE ? Number.POSITIVE_INFINITY : changed.at(-1)!.rev;
        const readers = open.filter(({ after }) => after < upTo);
        const theirRooms = new Set(readers.flatMap(({ rooms }) => [...rooms]));
        const roomsOfChanged = await roomsOf(
          changed.map(({ id }) => id),
          [...theirRooms],
        );
        for (const reader of readers) {
          const isNear = ({ id, rev }: Changed) =>
            rev > reader.after && roomsOfChanged.get(id)?.some((room) => reader.rooms.has(room));
          reader.around.push(...changed.filter(isNear));
          reader.after = upTo;
        }
        open = open.filter(({ after, around, limit }) => around.length < limit && Number.isFinite(after));
      }
      return all.map(({ around, limit }) => around.slice(0, limit));
    },
    async latestRev() {
      const [latest] = await users
        .find(HAS_REV)
        .project<NamedDocument>(NAMED)
        .sort({ rev: -1 })
        .limit(1)
        .toArray();
      return latest?.rev ?? 0;
    },
  };
}

/** Changed users per query. */
const PAGE = 200;
const RENAME_TRIES = 10;
/** Above all characters that a name may have: no code point is greater. */
const LAST_CHARACTER = '\u{10ffff}';
const NAMED = { name: 1, rev: 1 } as const;

type Changed = Named & { id: string };
type NamedDocument = Pick<UserDocument, '_id' | 'name' | 'rev'>;

function namedOf({ name, rev = 0 }: NamedDocument): Named {
  return { name, rev };
}

/** The same calls, each made to what `its` returns at that time. */
function eachCall(
  calls: DeviceCalls,
  its: <Name extends keyof DeviceCalls>(name: Name) => DeviceCalls[Name],
): DeviceCalls {
  const names = Object.keys(calls) as (keyof DeviceCalls)[];
  const made = names.map((name) => [
    name,
    (...args: never[]) => (its(name) as (...args: never[]) => unknown)(...args),
  ]);
  return Object.fromEntries(made) as DeviceCalls;
}
