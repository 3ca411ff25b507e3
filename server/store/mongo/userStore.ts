/** Users, and their names. For devices see devices/. */
import { type Named, Unavailable, type UserStore } from '../port.ts';
import { withRename } from '../renames.ts';
import { type Collections, HAS_REV, META_ID, type UserDocument } from './base/collections.ts';
import { isDuplicate } from './base/faults.ts';
import { type DeviceCalls, devicesOn, USER_FIELDS, userOf } from './devices/deviceStore.ts';
import { mixedDevicesOn } from './devices/embeddedDevices.ts';
import type { VersionWatch } from './open/databaseVersion.ts';
import { passesOn } from './passStore.ts';

export function usersOn(
  collections: Collections,
  version: Omit<VersionWatch, 'close'>,
  now: () => number,
): UserStore {
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

  async function roomsOf(user: string): Promise<string[]> {
    const found = await members
      .find({ user, present: true })
      .project<{ room: string }>({ _id: 0, room: 1 })
      .toArray();
    return found.map(({ room }) => room);
  }

  /** Which of these users are members of at least one of these rooms. */
  async function inRooms(ids: readonly string[], rooms: readonly string[]): Promise<Set<string>> {
    if (ids.length === 0 || rooms.length === 0) return new Set();
    const found = await members
      .find({ user: { $in: [...ids] }, present: true, room: { $in: [...rooms] } })
      .project<{ user: string }>({ _id: 0, user: 1 })
      .toArray();
    return new Set(found.map(({ user }) => user));
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
    async changedAround(user, rev, limit) {
      const rooms = await roomsOf(user);
      const around: Changed[] = [];
      for (let after = rev; ; ) {
        const changed = await changedSince(after, PAGE);
        const near = await inRooms(
          changed.map(({ id }) => id),
          rooms,
        );
        around.push(...changed.filter(({ id }) => near.has(id)));
        if (around.length >= limit || changed.length < PAGE) return around.slice(0, limit);
        after = changed.at(-1)!.rev;
      }
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
