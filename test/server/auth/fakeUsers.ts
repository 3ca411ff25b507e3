/** A `UserStore` in memory that behaves as the contract of the stores says. */
import type { NewDevice, NewUser, OneTimePass, UserRecord, UserStore } from '../../../server/store/port.ts';
import { withRename } from '../../../server/store/renames.ts';

export interface FakeUsers extends UserStore {
  users: Map<string, StoredUser>;
  devices: Map<string, NewDevice & { seenAt: number }>;
  passes: Map<string, OneTimePass & { claimHash?: string }>;
}

type StoredUser = NewUser & { rev?: number; renames?: number[]; recoveryHash?: string | undefined };

export function fakeUsers(): FakeUsers {
  const users = new Map<string, StoredUser>();
  let latestRev = 0;
  const devices: FakeUsers['devices'] = new Map();
  const passes: FakeUsers['passes'] = new Map();
  const signedOut = new Map<string, number>();
  const stored = (user: StoredUser): UserRecord => ({
    id: user.id,
    name: user.name,
    rev: user.rev ?? 0,
    createdAt: user.createdAt,
    passwordHash: user.passwordHash,
    recoveryHash: user.recoveryHash,
  });
  const signedIn = (device: (NewDevice & { seenAt: number }) | undefined) =>
    device && { device: device.id, user: stored(users.get(device.user)!), seenAt: device.seenAt };
  const add = (device: NewDevice) => devices.set(device.id, { ...device, seenAt: device.createdAt });
  const signOut = ({ id, tokenHash }: NewDevice, at: number) => {
    signedOut.set(tokenHash, at);
    devices.delete(id);
  };
  const ofUser = (user: string) => [...devices.values()].filter((device) => device.user === user);
  const userBy = (is: (user: NewUser) => boolean) => [...users.values()].find(is);
  const deviceBy = (is: (device: NewDevice) => boolean) => signedIn([...devices.values()].find(is));

  return {
    users,
    devices,
    passes,
    async create(user, device) {
      if (userBy(({ nameKey }) => nameKey === user.nameKey)) return 'taken';
      users.set(user.id, user);
      add(device);
      return 'created';
    },
    async byNameKey(nameKey) {
      const user = userBy((user) => user.nameKey === nameKey);
      return user && stored(user);
    },
    async byId(id) {
      const user = users.get(id);
      return user && stored(user);
    },
    search: async (nameKey, limit) =>
      [...users.values()]
        .filter((user) => user.nameKey.startsWith(nameKey))
        .slice(0, limit)
        .map(({ id, name, rev = 0 }) => ({ id, name, rev })),
    async names(ids) {
      return new Map(
        ids.flatMap((id) => {
          const user = users.get(id);
          return user ? [[id, { name: user.name, rev: user.rev ?? 0 }] as const] : [];
        }),
      );
    },
    async rename(id, name, nameKey, limit) {
      const other = userBy((user) => user.nameKey === nameKey);
      if (other && other.id !== id) return 'taken';
      const renames = users.get(id)!.renames ?? [];
      const counted = limit ? withRename(renames, limit) : renames;
      if (!Array.isArray(counted)) return counted;
      const rev = ++latestRev;
      users.set(id, { ...users.get(id)!, name, nameKey, rev, renames: counted });
      return { name, rev };
    },
    changedSince: async () => [],
    changedAround: async () => [],
    latestRev: async () => latestRev,
    async setPassword(id, passwordHash, keep, at) {
      users.set(id, { ...users.get(id)!, passwordHash, recoveryHash: undefined });
      const others = ofUser(id).filter((device) => device.id !== keep);
      for (const device of others) signOut(device, at);
      return others.map((device) => device.id);
    },
    async setRecovery(id, recoveryHash) {
      users.set(id, { ...users.get(id)!, recoveryHash });
    },
    async addDevice(device, since, verified) {
      if (users.get(device.user)?.passwordHash !== verified) return 'outdated';
      const isClaimed = deviceBy(
        ({ claimHash, createdAt }) => claimHash === device.claimHash && createdAt > since,
      );
      if (isClaimed) return 'claimed';
      add(device);
      return 'added';
    },
    byToken: async (tokenHash) => deviceBy((device) => device.tokenHash === tokenHash),
    byClaim: async (claimHash, since) =>
      deviceBy((device) => device.claimHash === claimHash && device.createdAt >= since),
    async replaceToken(device, tokenHash) {
      devices.set(device, { ...devices.get(device)!, tokenHash });
    },
    async removeDevice(user, id, at) {
      const device = devices.get(id);
      if (device?.user !== user) return false;
      signOut(device, at);
      return true;
    },
    wasSignedOut: async (tokenHash) => signedOut.has(tokenHash),
    countDevices: async (user) => ofUser(user).length,
    devicesOf: async (user) =>
      ofUser(user)
        .toSorted((a, b) => b.createdAt - a.createdAt)
        .map(({ id, createdAt, seenAt }) => ({ id, createdAt, seenAt })),
    devicesAlive: async (ids) => new Set(ids.filter((id) => devices.has(id))),
    async devicesSeen(ids, at) {
      for (const device of ids.flatMap((id) => devices.get(id) ?? []))
        device.seenAt = Math.max(device.seenAt, at);
    },
    async expireDevices(unusedSince, limit) {
      const unused = [...devices.values()].filter(({ seenAt }) => seenAt < unusedSince).slice(0, limit);
      for (const { id } of unused) devices.delete(id);
      return unused.length;
    },
    async addPass(pass, keep) {
      for (const { hash, expiresAt } of [...passes.values()])
        if (expiresAt <= pass.createdAt) passes.delete(hash);
      if (passes.has(pass.hash)) return false;
      const older = [...passes.values()].filter(({ user, kind }) => user === pass.user && kind === pass.kind);
      for (const { hash } of older.toReversed().slice(keep - 1)) passes.delete(hash);
      passes.set(pass.hash, pass);
      return true;
    },
    async takePass(hash, claimHash, at) {
      const pass = passes.get(hash);
      if (!pass || pass.expiresAt <= at || (pass.claimHash ?? claimHash) !== claimHash) return undefined;
      pass.claimHash = claimHash;
      return { user: pass.user, device: pass.device, kind: pass.kind };
    },
  };
}
