/** Users and their devices, in memory. */
import type { Named, NewDevice, SignedInDevice, UserRecord, UserStore } from '../../../server/store/port.ts';
import type { MemoryData } from './data.ts';

export function usersIn(data: MemoryData, call: <T>(work: () => T) => Promise<T>): UserStore {
  const devices = () => [...data.devices.values()];

  function stored(isIt: (user: { id: string; nameKey: string }) => boolean): UserRecord | undefined {
    const user = [...data.users.values()].find(isIt);
    return user && { id: user.id, name: user.name, rev: user.rev, passwordHash: user.passwordHash };
  }

  function changed(since: number) {
    return [...data.users.values()]
      .filter(({ rev }) => rev > since)
      .toSorted((a, b) => a.rev - b.rev)
      .map((user) => ({ id: user.id, ...named(user) }));
  }

  function signedIn(device: NewDevice | undefined): SignedInDevice | undefined {
    const user = device && stored(({ id }) => id === device.user);
    return user && { device: device.id, user };
  }

  return {
    create: (user, device) =>
      call(() => {
        if (stored(({ nameKey }) => nameKey === user.nameKey)) return 'taken';
        data.users.set(user.id, { ...user, rev: 0 });
        data.devices.set(device.id, device);
        return 'created';
      }),
    byNameKey: (nameKey) => call(() => stored((user) => user.nameKey === nameKey)),
    byId: (id) => call(() => stored((user) => user.id === id)),
    names: (ids) =>
      call(
        () => new Map(ids.flatMap((id) => (data.users.has(id) ? [[id, named(data.users.get(id)!)]] : []))),
      ),
    rename: (id, name, nameKey) =>
      call(() => {
        const other = stored((user) => user.nameKey === nameKey);
        if (other && other.id !== id) return 'taken';
        const rev = ++data.usersRev;
        data.users.set(id, { ...data.users.get(id)!, name, nameKey, rev });
        return { name, rev };
      }),
    changedSince: (rev, limit) => call(() => changed(rev).slice(0, limit)),
    changedAround: (user, rev, limit) =>
      call(() => {
        const rooms = [...data.rooms.keys()].filter((room) => data.isMember(room, user));
        return changed(rev)
          .filter(({ id }) => rooms.some((room) => data.isMember(room, id)))
          .slice(0, limit);
      }),
    latestRev: () => call(() => data.usersRev),
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

function named({ name, rev }: Named): Named {
  return { name, rev };
}
