/** People and their devices. A device is part of its user's document. */
import type { Filter } from 'mongodb';
import type { NewDevice, SignedIn, StoredUser, UserStore } from '../port.ts';
import { isDuplicate } from './faults.ts';
import type { Collections, DeviceDocument, UserDocument } from './schema.ts';

export function usersOn({ users }: Pick<Collections, 'users'>): UserStore {
  async function one(where: Filter<UserDocument>): Promise<UserDocument | undefined> {
    return (await users.findOne(where)) ?? undefined;
  }

  return {
    async create({ id, passwordHash, ...user }, device) {
      const secret = passwordHash === undefined ? {} : { passwordHash };
      try {
        await users.insertOne({ _id: id, ...user, ...secret, devices: [documentOf(device)] });
        return 'created';
      } catch (error) {
        // The name; or the claim, when two processes were asked by the same device: of the same name then.
        if (isDuplicate(error)) return 'taken';
        throw error;
      }
    },
    byNameKey: async (nameKey) => userOf(await one({ nameKey })),
    byId: async (id) => userOf(await one({ _id: id })),
    async names(ids) {
      const found = await users
        .find({ _id: { $in: [...ids] } })
        .project<Pick<UserDocument, '_id' | 'name'>>({ name: 1 })
        .toArray();
      return new Map(found.map(({ _id, name }) => [_id, name]));
    },
    async setPassword(id, passwordHash) {
      await users.updateOne({ _id: id }, { $set: { passwordHash } });
    },

    async addDevice(device, since) {
      const young = { claimHash: device.claimHash, createdAt: { $gt: since } };
      const added = await users.updateOne(
        { _id: device.user, devices: { $not: { $elemMatch: young } } },
        { $push: { devices: documentOf(device) } },
      );
      return added.modifiedCount > 0 ? 'added' : 'claimed';
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
    async removeDevice(device) {
      const removed = await users.updateOne({ 'devices.id': device }, { $pull: { devices: { id: device } } });
      return removed.modifiedCount > 0;
    },
    countDevices: async (user) => (await one({ _id: user }))?.devices.length ?? 0,
    async devicesAlive(devices) {
      const found = await users
        .find({ 'devices.id': { $in: [...devices] } })
        .project<{ devices: Pick<DeviceDocument, 'id'>[] }>({ 'devices.id': 1 })
        .toArray();
      const alive = new Set(found.flatMap((user) => user.devices.map(({ id }) => id)));
      return new Set(devices.filter((device) => alive.has(device)));
    },
  };
}

function documentOf({ user: _, ...device }: NewDevice): DeviceDocument {
  return device;
}

function userOf(document: UserDocument | undefined): StoredUser | undefined {
  return document && { id: document._id, name: document.name, passwordHash: document.passwordHash };
}

function signedIn(
  document: UserDocument | undefined,
  isIt: (device: DeviceDocument) => boolean,
): SignedIn | undefined {
  const device = document?.devices.findLast(isIt);
  const user = userOf(document);
  return device && user && { device: device.id, user };
}
