/**
 * Devices within the documents of their users, as versions 1 and 2 of the data format store them. Until an upgrade is finished
 * processes of those versions may run beside this one, so devices stay there; then a step of migrate.ts moves them
 * (moveDevices.ts). Each user document switches at once, by losing its field `devices`: until then these are the devices of the
 * user, afterwards those of deviceStore.ts. So processes that know of the end of the upgrade and processes that do not may run
 * at the same time.
 */
import type { Filter } from 'mongodb';
import type { NewDevice, SignedInDevice } from '../../port.ts';
import type { Collections, EmbeddedDevice, UserDocument } from '../base/collections.ts';
import { isDuplicate } from '../base/faults.ts';
import { type DeviceCalls, signingOut, USER_FIELDS, userOf } from './deviceStore.ts';
import { moveDevices } from './moveDevices.ts';

interface Deps {
  collections: Pick<Collections, 'users' | 'devices' | 'meta'>;
  /** The calls for users whose devices are documents of their own. */
  own: DeviceCalls;
  version: {
    /** Whether devices are documents of their own, as far as this process knows. */
    hasOwnDevices(): boolean;
    /** The same, read from the database. */
    readHasOwnDevices(): Promise<boolean>;
  };
}

/** For a database with users of both kinds. Most users still have `devices`: those are looked up first. */
export function mixedDevicesOn({ collections, own, version }: Deps): DeviceCalls {
  const { users, devices } = collections;

  /** The devices of these users that `isIt` is true of, the newest last. */
  async function signedIn(
    where: Filter<UserDocument>,
    isIt: (device: EmbeddedDevice) => boolean,
  ): Promise<{ tokenHash: string; device: SignedInDevice }[]> {
    const documents = await users.find(where, { projection: { ...USER_FIELDS, devices: 1 } }).toArray();
    return documents.flatMap((document) => {
      const user = userOf(document)!;
      const its = document.devices?.filter(isIt) ?? [];
      return its.map((one) => ({
        tokenHash: one.tokenHash,
        device: { device: one.id, user, seenAt: seenAtOf(one) },
      }));
    });
  }

  /** Undefined for a user without embedded devices, who may not exist. */
  async function devicesIn(user: string): Promise<EmbeddedDevice[] | undefined> {
    const document = await users.findOne({ _id: user }, { projection: { devices: 1 } });
    return document?.devices;
  }

  /** Keeps the tokens of devices that were signed out. Also where the device is being moved at the moment. */
  async function bury(user: string, removed: readonly EmbeddedDevice[], at: number): Promise<void> {
    if (removed.length === 0) return;
    const { $set, $unset } = signingOut(at);
    await devices.bulkWrite(
      removed.map(({ id, tokenHash, createdAt }) => ({
        updateOne: {
          filter: { _id: id },
          update: { $set: { ...$set, user, tokenHash, createdAt }, $unset },
          upsert: true,
        },
      })),
    );
  }

  return {
    async create(user, device) {
      if (version.hasOwnDevices()) return own.create(user, device);
      const { id, passwordHash, ...named } = user;
      const secret = passwordHash === undefined ? {} : { passwordHash };
      const document = { _id: id, ...named, ...secret, devices: [embedded(device)] };
      try {
        await users.insertOne(document);
      } catch (error) {
        if (isDuplicate(error)) return 'taken'; // of the name, or of the claim
        throw error;
      }
      // devices may have been moved meanwhile, this one excepted
      if (await version.readHasOwnDevices()) await moveDevices(collections, [id]);
      return 'created';
    },
    async setPassword(id, passwordHash, keep, at) {
      const before = await users.findOneAndUpdate(
        { _id: id, devices: { $exists: true } },
        {
          $set: { passwordHash },
          $unset: { recoveryHash: '' },
          $pull: { devices: { id: { $ne: keep } } },
        },
        { returnDocument: 'before', projection: { devices: 1 } },
      );
      if (!before?.devices) return own.setPassword(id, passwordHash, keep, at);
      const others = before.devices.filter((device) => device.id !== keep);
      await bury(id, others, at);
      return others.map((device) => device.id);
    },
    async addDevice(device, since, verified) {
      const young = { claimHash: device.claimHash, createdAt: { $gt: since } };
      const added = await users.updateOne(
        {
          _id: device.user,
          passwordHash: verified ?? { $exists: false },
          devices: { $exists: true, $not: { $elemMatch: young } },
        },
        { $push: { devices: embedded(device) } },
      );
      if (added.modifiedCount > 0) return 'added';
      const user = await users.findOne({ _id: device.user });
      if (!user?.devices) return own.addDevice(device, since, verified);
      return user.passwordHash === verified ? 'claimed' : 'outdated';
    },
    async byTokens(tokenHashes) {
      const asked = new Set(tokenHashes);
      const found = await signedIn({ 'devices.tokenHash': { $in: [...asked] } }, (it) =>
        asked.has(it.tokenHash),
      );
      const byToken = new Map(found.map(({ tokenHash, device }) => [tokenHash, device]));
      const others = tokenHashes.filter((tokenHash) => !byToken.has(tokenHash));
      const theirs = others.length > 0 ? await own.byTokens(others) : [];
      const elsewhere = new Map(others.map((tokenHash, i) => [tokenHash, theirs[i]]));
      return tokenHashes.map((tokenHash) => byToken.get(tokenHash) ?? elsewhere.get(tokenHash));
    },
    async byClaim(claimHash, since) {
      const found = await signedIn(
        { 'devices.claimHash': claimHash },
        (it) => it.claimHash === claimHash && it.createdAt > since,
      );
      return found.at(-1)?.device ?? own.byClaim(claimHash, since);
    },
    async replaceToken(device, tokenHash) {
      const replaced = await users.updateOne(
        { 'devices.id': device },
        { $set: { 'devices.$.tokenHash': tokenHash } },
      );
      if (replaced.matchedCount === 0) await own.replaceToken(device, tokenHash);
    },
    async removeDevice(user, device, at) {
      const before = await users.findOneAndUpdate(
        { _id: user, 'devices.id': device },
        { $pull: { devices: { id: device } } },
        { returnDocument: 'before', projection: { devices: 1 } },
      );
      if (!before?.devices) return own.removeDevice(user, device, at);
      const removed = before.devices.filter(({ id }) => id === device);
      await bury(user, removed, at);
      return true;
    },
    wasSignedOut: own.wasSignedOut,
    countDevices: async (user) => (await devicesIn(user))?.length ?? own.countDevices(user),
    async devicesOf(user) {
      const its = await devicesIn(user);
      if (!its) return own.devicesOf(user);
      return its
        .toSorted((a, b) => b.createdAt - a.createdAt)
        .map((device) => ({ id: device.id, createdAt: device.createdAt, seenAt: seenAtOf(device) }));
    },
    async devicesAlive(ids) {
      const found = await users
        .find({ 'devices.id': { $in: [...ids] } })
        .project<{ devices: Pick<EmbeddedDevice, 'id'>[] }>({ 'devices.id': 1 })
        .toArray();
      const alive = new Set(found.flatMap((user) => user.devices.map(({ id }) => id)));
      const others = await own.devicesAlive(ids.filter((id) => !alive.has(id)));
      return new Set(ids.filter((id) => alive.has(id) || others.has(id)));
    },
    async devicesSeen(ids, at) {
      const some = { $in: [...ids] };
      await users.updateMany(
        { 'devices.id': some },
        { $max: { 'devices.$[seen].seenAt': at } },
        { arrayFilters: [{ 'seen.id': some }] },
      );
      await own.devicesSeen(ids, at);
    },
    // embedded devices do not expire: the time when they were last seen is not known of all
    expireDevices: own.expireDevices,
  };
}

function embedded({ user: _, ...device }: NewDevice): EmbeddedDevice {
  return device;
}

function seenAtOf({ createdAt, seenAt = createdAt }: EmbeddedDevice): number {
  return seenAt;
}
