/** A `UserStore` in memory that behaves as the contract of the stores says. */
import type { NewDevice, NewUser, UserRecord, UserStore } from '../../../server/store/port.ts';

export interface FakeUsers extends UserStore {
  users: Map<string, NewUser & { rev?: number }>;
  devices: Map<string, NewDevice>;
}

export function fakeUsers(): FakeUsers {
  const users = new Map<string, NewUser & { rev?: number }>();
  let latestRev = 0;
  const devices = new Map<string, NewDevice>();
  const stored = (user: NewUser & { rev?: number }): UserRecord => ({
    id: user.id,
    name: user.name,
    rev: user.rev ?? 0,
    passwordHash: user.passwordHash,
  });
  const signedIn = (device: NewDevice | undefined) =>
    device && { device: device.id, user: stored(users.get(device.user)!) };
  const userBy = (is: (user: NewUser) => boolean) => [...users.values()].find(is);
  const deviceBy = (is: (device: NewDevice) => boolean) => signedIn([...devices.values()].find(is));

  return {
    users,
    devices,
    async create(user, device) {
      if (userBy(({ nameKey }) => nameKey === user.nameKey)) return 'taken';
      users.set(user.id, user);
      devices.set(device.id, device);
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
    async names(ids) {
      return new Map(
        ids.flatMap((id) => {
          const user = users.get(id);
          return user ? [[id, { name: user.name, rev: user.rev ?? 0 }] as const] : [];
        }),
      );
    },
    async rename(id, name, nameKey) {
      const other = userBy((user) => user.nameKey === nameKey);
      if (other && other.id !== id) return 'taken';
      const rev = ++latestRev;
      users.set(id, { ...users.get(id)!, name, nameKey, rev });
      return { name, rev };
    },
    changedSince: async () => [],
    changedAround: async () => [],
    latestRev: async () => latestRev,
    async setPassword(id, passwordHash) {
      users.set(id, { ...users.get(id)!, passwordHash });
    },
    async addDevice(device, since) {
      const isClaimed = deviceBy(
        ({ claimHash, createdAt }) => claimHash === device.claimHash && createdAt > since,
      );
      if (isClaimed) return 'claimed';
      devices.set(device.id, device);
      return 'added';
    },
    byToken: async (tokenHash) => deviceBy((device) => device.tokenHash === tokenHash),
    byClaim: async (claimHash, since) =>
      deviceBy((device) => device.claimHash === claimHash && device.createdAt >= since),
    async replaceToken(device, tokenHash) {
      devices.set(device, { ...devices.get(device)!, tokenHash });
    },
    removeDevice: async (device) => devices.delete(device),
    countDevices: async (user) => [...devices.values()].filter((device) => device.user === user).length,
    devicesAlive: async (ids) => new Set(ids.filter((id) => devices.has(id))),
  };
}
