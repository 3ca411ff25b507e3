/** Users and their devices. A device is part of its user's document. */
import type { Filter } from 'mongodb';
import {
  type Named,
  type NewDevice,
  type SignedInDevice,
  Unavailable,
  type UserRecord,
  type UserStore,
} from '../port.ts';
import {
  type Collections,
  type EmbeddedDevice,
  HAS_REV,
  META_ID,
  type UserDocument,
} from './base/collections.ts';
import { isDuplicate } from './base/faults.ts';

export function usersOn({
  users,
  devices,
  members,
  meta,
}: Pick<Collections, 'users' | 'devices' | 'members' | 'meta'>): UserStore {
  /** Keeps the tokens of devices that were signed out. */
  async function bury(user: string, removed: readonly EmbeddedDevice[], at: number): Promise<void> {
    if (removed.length === 0) return;
    const signedOut = { user, seenAt: at, removedAt: at };
    await devices.bulkWrite(
      removed.map(({ id, tokenHash, createdAt }) => ({
        updateOne: {
          filter: { _id: id },
          update: { $set: { ...signedOut, tokenHash, createdAt } },
          upsert: true,
        },
      })),
    );
  }

  async function one(where: Filter<UserDocument>): Promise<UserDocument | undefined> {
    return (await users.findOne(where)) ?? undefined;
  }

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
    async create({ id, passwordHash, ...user }, device) {
      const secret = passwordHash === undefined ? {} : { passwordHash };
      try {
        await users.insertOne({ _id: id, ...user, ...secret, devices: [documentOf(device)] });
        return 'created';
      } catch (error) {
        // of the name; or of the claim, where one device asked two processes: with the same name then
        if (isDuplicate(error)) return 'taken';
        throw error;
      }
    },
    byNameKey: async (nameKey) => userOf(await one({ nameKey })),
    byId: async (id) => userOf(await one({ _id: id })),
    async names(ids) {
      const found = await users
        .find({ _id: { $in: [...ids] } })
        .project<NamedDocument>(NAMED)
        .toArray();
      return new Map(found.map((document) => [document._id, namedOf(document)]));
    },
    async rename(id, name, nameKey) {
      const other = await users.findOne({ nameKey, _id: { $ne: id } }, { projection: { _id: 1 } });
      if (other) return 'taken';
      for (let tries = 0; tries < RENAME_TRIES; tries++) {
        const rev = await nextRev();
        // another rename of this user may have taken a greater revision meanwhile: then ours needs the next one
        const older = { $or: [{ rev: { $exists: false } }, { rev: { $lt: rev } }] };
        try {
          const { matchedCount } = await users.updateOne(
            { _id: id, ...older },
            { $set: { name, nameKey, rev } },
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
    async setPassword(id, passwordHash, keep, at) {
      const before = await users.findOneAndUpdate(
        { _id: id },
        { $set: { passwordHash }, $pull: { devices: { id: { $ne: keep } } } },
        { returnDocument: 'before', projection: { devices: 1 } },
      );
      const others = (before?.devices ?? []).filter((device) => device.id !== keep);
      await bury(id, others, at);
      return others.map((device) => device.id);
    },

    async addDevice(device, since, verified) {
      const young = { claimHash: device.claimHash, createdAt: { $gt: since } };
      const added = await users.updateOne(
        {
          _id: device.user,
          passwordHash: verified ?? { $exists: false },
          devices: { $not: { $elemMatch: young } },
        },
        { $push: { devices: documentOf(device) } },
      );
      if (added.modifiedCount > 0) return 'added';
      const user = await one({ _id: device.user });
      return user && user.passwordHash === verified ? 'claimed' : 'outdated';
    },
    async byToken(tokenHash) {
      return signedIn(
        await one({ 'devices.tokenHash': tokenHash }),
        (device) => device.tokenHash === tokenHash,
      );
    },
    async byClaim(claimHash, since) {
      return signedIn(
        await one({ 'devices.claimHash': claimHash }),
        (device) => device.claimHash === claimHash && device.createdAt > since,
      );
    },
    async replaceToken(device, tokenHash) {
      await users.updateOne({ 'devices.id': device }, { $set: { 'devices.$.tokenHash': tokenHash } });
    },
    async removeDevice(user, device, at) {
      const before = await users.findOneAndUpdate(
        { _id: user, 'devices.id': device },
        { $pull: { devices: { id: device } } },
        { returnDocument: 'before', projection: { devices: 1 } },
      );
      if (!before) return false;
      await bury(
        user,
        before.devices.filter(({ id }) => id === device),
        at,
      );
      return true;
    },
    wasSignedOut: async (tokenHash) => (await devices.findOne({ tokenHash })) !== null,
    countDevices: async (user) => (await one({ _id: user }))?.devices.length ?? 0,
    async devicesOf(user) {
      const embedded = (await one({ _id: user }))?.devices ?? [];
      return embedded
        .toSorted((a, b) => b.createdAt - a.createdAt)
        .map(({ id, createdAt, seenAt = createdAt }) => ({ id, createdAt, seenAt }));
    },
    async devicesAlive(ids) {
      const found = await users
        .find({ 'devices.id': { $in: [...ids] } })
        .project<{ devices: Pick<EmbeddedDevice, 'id'>[] }>({ 'devices.id': 1 })
        .toArray();
      const alive = new Set(found.flatMap((user) => user.devices.map(({ id }) => id)));
      return new Set(ids.filter((id) => alive.has(id)));
    },
    async devicesSeen(ids, at) {
      const some = { $in: [...ids] };
      await users.updateMany(
        { 'devices.id': some },
        { $max: { 'devices.$[seen].seenAt': at } },
        { arrayFilters: [{ 'seen.id': some }] },
      );
    },
    async expireDevices(unusedSince, limit) {
      const old = await devices
        .find({ seenAt: { $lt: unusedSince } })
        .project({ _id: 1 })
        .limit(limit)
        .toArray();
      await devices.deleteMany({ _id: { $in: old.map(({ _id }) => _id) }, seenAt: { $lt: unusedSince } });
      if (old.length > 0) return old.length;
      const unused = { seenAt: { $lt: unusedSince } };
      const owner = await one({ devices: { $elemMatch: unused } });
      if (!owner) return 0;
      await users.updateOne({ _id: owner._id }, { $pull: { devices: unused } });
      return owner.devices.filter(({ seenAt = 0 }) => seenAt < unusedSince).length;
    },
  };
}

/** Changed users per query. */
const PAGE = 200;
const RENAME_TRIES = 10;
const NAMED = { name: 1, rev: 1 } as const;

type Changed = Named & { id: string };
type NamedDocument = Pick<UserDocument, '_id' | 'name' | 'rev'>;

function namedOf({ name, rev = 0 }: NamedDocument): Named {
  return { name, rev };
}

function documentOf({ user: _, ...device }: NewDevice): EmbeddedDevice {
  return { ...device, seenAt: device.createdAt };
}

function userOf(document: UserDocument | undefined): UserRecord | undefined {
  return document && { id: document._id, ...namedOf(document), passwordHash: document.passwordHash };
}

function signedIn(
  document: UserDocument | undefined,
  isIt: (device: EmbeddedDevice) => boolean,
): SignedInDevice | undefined {
  const device = document?.devices.findLast(isIt);
  const user = userOf(document);
  return device && user && { device: device.id, user, seenAt: device.seenAt ?? device.createdAt };
}
