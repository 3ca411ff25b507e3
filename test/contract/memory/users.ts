/** People and their devices, in memory. */
import type { NewDevice, SignedIn, StoredUser, UserStore } from '../../../server/store/port.ts';
import type { MemoryData } from './data.ts';

export function usersIn(data: MemoryData, call: <T>(work: () => T) => Promise<T>): UserStore {
  const devices = () => [...data.devices.values()];

  function stored(isIt: (user: { id: string; nameKey: string }) => boolean): StoredUser | undefined {
    const user = [...data.users.values()].find(isIt);
    return user && { id: user.id, name: user.name, passwordHash: user.passwordHash };
  }

  function signedIn(device: NewDevice | undefined): SignedIn | undefined {
    const user = device && stored(({ id }) => id === device.user);
    return user && { device: device.id, user };
  }

  return {
    create: (user, device) =>
      call(() => {
        if (stored(({ nameKey }) => nameKey === user.nameKey)) return 'taken';
        data.users.set(user.id, user);
        data.devices.set(device.id, device);
        return 'created';
      }),
    byNameKey: (nameKey) => call(() => stored((user) => user.nameKey === nameKey)),
    byId: (id) => call(() => stored((user) => user.id === id)),
    names: (ids) =>
      call(() => new Map(ids.flatMap((id) => (data.users.has(id) ? [[id, data.users.get(id)!.name]] : [])))),
    setPassword: (id, passwordHash) =>
      call(() => void data.users.set(id, { ...data.users.get(id)!, passwordHash })),
    addDevice: (device, since) =>
      call(() => {
        const { claimHash } = device;
        if (devices().some((one) => one.claimHash === claimHash && one.createdAt > since)) return 'claimed';
        data.devices.set(device.id, device);
        return 'added';
      }),
    byToken: (tokenHash) => call(() => signedIn(devices().find((one) => one.tokenHash === tokenHash))),
    byClaim: (claimHash, since) =>
      call(() => signedIn(devices().find((one) => one.claimHash === claimHash && one.createdAt > since))),
    replaceToken: (device, tokenHash) =>
      call(() => void data.devices.set(device, { ...data.devices.get(device)!, tokenHash })),
    removeDevice: (device) => call(() => data.devices.delete(device)),
    countDevices: (user) => call(() => devices().filter((one) => one.user === user).length),
    devicesAlive: (ids) => call(() => new Set(ids.filter((id) => data.devices.has(id)))),
  };
}
