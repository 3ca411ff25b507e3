/**
 * Devices, each a document of its own. No transactions: a sign-up writes the device first and the user second, and whoever
 * repeats it with the same claim finishes it. A device whose user does not exist is not signed in; where nobody finishes the
 * sign-up, `expireDevices` removes it.
 */
import type { Filter } from 'mongodb';
import {
  type NewDevice,
  type SignedInDevice,
  Unavailable,
  type UserRecord,
  type UserStore,
} from '../../port.ts';
import {
  type Collections,
  type DeviceDocument,
  type EmbeddedDevice,
  IN_SIGN_UP,
  type UserDocument,
} from '../base/collections.ts';
import { isDuplicate } from '../base/faults.ts';

/** The calls of `UserStore` that concern devices; `byToken` of many tokens at once. */
export type DeviceCalls = TokenLookup &
  Pick<
    UserStore,
    | 'create'
    | 'setPassword'
    | 'addDevice'
    | 'byClaim'
    | 'replaceToken'
    | 'removeDevice'
    | 'wasSignedOut'
    | 'countDevices'
    | 'devicesOf'
    | 'devicesAlive'
    | 'devicesSeen'
    | 'expireDevices'
  >;

export interface TokenLookup {
  /** In the order of the tokens. */
  byTokens(tokenHashes: readonly string[]): Promise<(SignedInDevice | undefined)[]>;
}

export function devicesOn(
  { users, devices }: Pick<Collections, 'users' | 'devices'>,
  now: () => number,
): DeviceCalls {
  async function signedIn(
    where: Filter<DeviceDocument>,
  ): Promise<{ tokenHash: string; device: SignedInDevice }[]> {
    const found = await devices.find({ ...where, removedAt: ABSENT }).toArray();
    if (found.length === 0) return [];
    // where the user document still has devices, those count and this is a copy
    const owners = await users
      .find({ _id: { $in: [...new Set(found.map(({ user }) => user))] }, devices: ABSENT })
      .project<UserFields>(USER_FIELDS)
      .toArray();
    const byId = new Map(owners.map((owner) => [owner._id, userOf(owner)]));
    return found.flatMap(({ _id, user: id, seenAt, tokenHash }) => {
      const user = byId.get(id);
      return user ? [{ tokenHash, device: { device: _id, user, seenAt } }] : [];
    });
  }

  /** Takes the claim from this device, so that another one may have it. */
  async function freeClaim({ _id }: DeviceDocument): Promise<void> {
    await devices.updateOne({ _id }, { $unset: { claimHash: '' } });
  }

  /** False where the name, or the id, exists. */
  async function insertUser(document: UserDocument): Promise<boolean> {
    try {
      await users.insertOne(document);
      return true;
    } catch (error) {
      if (isDuplicate(error)) return false;
      throw error;
    }
  }

  /** False where another device has this claim. */
  async function insertDevice(document: DeviceDocument): Promise<boolean> {
    try {
      await devices.insertOne(document);
      return true;
    } catch (error) {
      if (isDuplicate(error)) return false;
      throw error;
    }
  }

  /**
   * An earlier sign-up has this claim: inserts its user, where that is missing. Returns true where the claim belongs to a
   * user with this name, or the name to somebody else; false where the claim is free now.
   */
  async function finishSignUp(user: Omit<UserDocument, '_id'>, claimHash: string): Promise<boolean> {
    const device = await devices.findOne({ claimHash });
    if (!device) return false;
    const owner = await users.findOne({ _id: device.user }, { projection: { nameKey: 1 } });
    if (owner?.nameKey === user.nameKey) return true;
    if (owner || device.signUpAt === undefined) {
      await freeClaim(device); // the owner has another name by now
      return false;
    }
    // `expireDevices` leaves it alone for another while
    const { _id, signUpAt } = device;
    const renewed = await devices.updateOne({ _id, signUpAt }, { $set: { signUpAt: now() } });
    if (renewed.matchedCount === 0) return false;
    await insertUser({ _id: device.user, ...user });
    return true;
  }

  /** Signs out all devices of the user but `keep`, and returns their ids. */
  async function signOutOthers(user: string, keep: string, at: number): Promise<string[]> {
    const others = await devices
      .find({ user, _id: { $ne: keep }, removedAt: ABSENT })
      .project<{ _id: string }>({ _id: 1 })
      .toArray();
    const ids = others.map(({ _id }) => _id);
    if (ids.length > 0) await devices.updateMany({ _id: { $in: ids }, removedAt: ABSENT }, signingOut(at));
    return ids;
  }

  /** Of sign-ups that are some minutes old: removes the devices without a user. Returns how many sign-ups there were. */
  async function sweepSignUps(limit: number): Promise<number> {
    const before = { signUpAt: { ...IN_SIGN_UP.signUpAt, $lt: now() - SIGN_UP_WITHIN_MS } };
    const old = await devices
      .find(before)
      .project<Pick<DeviceDocument, '_id' | 'user'>>({ user: 1 })
      .limit(limit)
      .toArray();
    if (old.length === 0) return 0;
    const there = await users
      .find({ _id: { $in: old.map(({ user }) => user) } })
      .project<{ _id: string }>({ _id: 1 })
      .toArray();
    const owners = new Set(there.map(({ _id }) => _id));
    const [done, orphans] = [
      old.filter(({ user }) => owners.has(user)),
      old.filter(({ user }) => !owners.has(user)),
    ];
    const among = (some: typeof old) => ({ _id: { $in: some.map(({ _id }) => _id) } });
    await devices.updateMany(among(done), { $unset: { signUpAt: '' } });
    await devices.deleteMany({ ...among(orphans), ...before }); // not one that is being finished after all
    return old.length;
  }

  return {
    async create({ id, passwordHash, ...named }, device) {
      const user = { ...named, ...(passwordHash === undefined ? {} : { passwordHash }) };
      for (let tries = 0; tries < CLAIM_TRIES; tries++) {
        if (await insertDevice({ ...deviceDocument(device), signUpAt: now() })) {
          if (await insertUser({ _id: id, ...user })) return 'created';
          // a concurrent repeat may have inserted it
          return (await users.findOne({ _id: id }, { projection: { _id: 1 } })) ? 'created' : 'taken';
        }
        if (await finishSignUp(user, device.claimHash)) return 'taken';
      }
      throw claimContended();
    },
    async setPassword(id, passwordHash, keep, at) {
      const first = await signOutOthers(id, keep, at);
      await users.updateOne({ _id: id }, { $set: { passwordHash }, $unset: { recoveryHash: '' } });
      // devices that were added meanwhile, after the old password was verified; a later one sees the new hash (addDevice)
      const later = await signOutOthers(id, keep, at);
      return [...first, ...later];
    },
    async addDevice(device, since, verified) {
      let isAdded = false;
      for (let tries = 0; !isAdded && tries < CLAIM_TRIES; tries++) {
        isAdded = await insertDevice(deviceDocument(device));
        const { claimHash } = device;
        const other = isAdded ? null : await devices.findOne({ claimHash });
        if (
          other &&
          other.createdAt > since &&
          (await users.findOne({ _id: other.user }, { projection: { _id: 1 } }))
        )
          return 'claimed';
        if (other) await freeClaim(other);
      }
      if (!isAdded) throw claimContended();
      // after the insert: a change of the password either sees the device, or is seen here
      const user = await users.findOne({ _id: device.user }, { projection: USER_FIELDS });
      if (user && user.passwordHash === verified) return 'added';
      await devices.deleteOne({ _id: device.id });
      return 'outdated';
    },
    async byTokens(tokenHashes) {
      const found = await signedIn({ tokenHash: { $in: [...tokenHashes] } });
      const byToken = new Map(found.map(({ tokenHash, device }) => [tokenHash, device]));
      return tokenHashes.map((tokenHash) => byToken.get(tokenHash));
    },
    async byClaim(claimHash, since) {
      const [found] = await signedIn({ claimHash, createdAt: { $gt: since } });
      return found?.device;
    },
    async replaceToken(device, tokenHash) {
      await devices.updateOne(
        { _id: device, removedAt: ABSENT },
        { $set: { tokenHash }, $unset: { staged: '' } },
      );
    },
    async removeDevice(user, device, at) {
      const removed = await devices.updateOne({ _id: device, user, removedAt: ABSENT }, signingOut(at));
      return removed.matchedCount > 0;
    },
    async wasSignedOut(tokenHash) {
      const device = await devices.findOne({ tokenHash }, { projection: { removedAt: 1 } });
      return device?.removedAt !== undefined;
    },
    countDevices: (user) => devices.countDocuments({ user, removedAt: ABSENT }),
    async devicesOf(user) {
      const found = await devices.find({ user, removedAt: ABSENT }).sort({ createdAt: -1 }).toArray();
      return found.map(({ _id, createdAt, seenAt }) => ({ id: _id, createdAt, seenAt }));
    },
    async devicesAlive(ids) {
      const found = await devices
        .find({ _id: { $in: [...ids] }, removedAt: ABSENT })
        .project<{ _id: string }>({ _id: 1 })
        .toArray();
      return new Set(found.map(({ _id }) => _id));
    },
    async devicesSeen(ids, at) {
      await devices.updateMany({ _id: { $in: [...ids] }, removedAt: ABSENT }, { $max: { seenAt: at } });
    },
    async expireDevices(unusedSince, limit) {
      const before = { seenAt: { $lt: unusedSince } };
      const old = await devices.find(before).project<{ _id: string }>({ _id: 1 }).limit(limit).toArray();
      if (old.length > 0) await devices.deleteMany({ _id: { $in: old.map(({ _id }) => _id) }, ...before });
      return old.length + (old.length < limit ? await sweepSignUps(limit - old.length) : 0);
    },
  };
}

/** A sign-up takes at most the 7 s of callGuard.ts; a write that was delayed in the network may come later. */
const SIGN_UP_WITHIN_MS = 10 * 60_000;
/** More than one is needed where the same claim is used twice at the same time. */
const CLAIM_TRIES = 5;
const ABSENT = { $exists: false } as const;

export const USER_FIELDS = { name: 1, rev: 1, createdAt: 1, passwordHash: 1, recoveryHash: 1 } as const;
type UserFields = Pick<UserDocument, '_id' | keyof typeof USER_FIELDS>;

export function userOf(document: UserFields | null | undefined): UserRecord | undefined {
  if (!document) return undefined;
  const { _id, name, rev = 0, createdAt, passwordHash, recoveryHash } = document;
  return { id: _id, name, rev, createdAt, passwordHash, recoveryHash };
}

export function deviceDocument({
  id,
  seenAt,
  ...device
}: NewDevice & Pick<EmbeddedDevice, 'seenAt'>): DeviceDocument {
  return { _id: id, ...device, seenAt: seenAt ?? device.createdAt };
}

/** The update that makes a device the trace of one. */
export function signingOut(at: number) {
  return {
    $set: { removedAt: at, seenAt: at },
    $unset: { claimHash: '', signUpAt: '', staged: '' },
  } as const;
}

function claimContended(): Unavailable {
  return new Unavailable('This device is being signed in elsewhere; try again.');
}
