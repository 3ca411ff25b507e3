/** Users and their devices, in memory. */
import type { Named, NewDevice, SignedInDevice, UserRecord, UserStore } from '../../../server/store/port.ts';
import { withRename } from '../../../server/store/renames.ts';
import type { MemoryData } from './data.ts';

type Device = NewDevice & { seenAt: number };

export function usersIn(data: MemoryData, call: <T>(work: () => T) => Promise<T>): UserStore {
  const devices = () => [...data.devices.values()];

  function stored(isIt: (user: { id: string; nameKey: string }) => boolean): UserRecord | undefined {
    const user = [...data.users.values()].find(isIt);
    if (!user) return undefined;
    const { id, name, rev, createdAt, passwordHash, recoveryHash } = user;
    return { id, name, rev, createdAt, passwordHash, recoveryHash };
  }

  function changed(since: number) {
    return [...data.users.values()]
      .filter(({ rev }) => rev > since)
      .toSorted((a, b) => a.rev - b.rev)
      .map((user) => ({ id: user.id, ...named(user) }));
  }

  function signedIn(device: Device | undefined): SignedInDevice | undefined {
    const user = device && stored(({ id }) => id === device.user);
    return user && { device: device.id, user, seenAt: device.seenAt };
  }

  function add(device: NewDevice): void {
    data.devices.set(device.id, { ...device, seenAt: device.createdAt });
  }

  function signOut({ id, tokenHash }: Device, at: number): void {
    data.signedOut.set(tokenHash, at);
    data.devices.delete(id);
  }

  return {
    create: (user, device) =>
      call(() => {
        if (stored(({ nameKey }) => nameKey === user.nameKey)) return 'taken';
        data.users.set(user.id, { ...user, rev: 0 });
        add(device);
        return 'created';
      }),
    byNameKey: (nameKey) => call(() => stored((user) => user.nameKey === nameKey)),
    byId: (id) => call(() => stored((user) => user.id === id)),
    search: (nameKey, limit) =>
      call(() =>
        [...data.users.values()]
          .filter((user) => user.nameKey.startsWith(nameKey))
          .toSorted((a, b) => (a.nameKey < b.nameKey ? -1 : 1))
          .slice(0, limit)
          .map((user) => ({ id: user.id, ...named(user) })),
      ),
    names: (ids) =>
      call(
        () => new Map(ids.flatMap((id) => (data.users.has(id) ? [[id, named(data.users.get(id)!)]] : []))),
      ),
    rename: (id, name, nameKey, limit) =>
      call(() => {
        const other = stored((user) => user.nameKey === nameKey);
        if (other && other.id !== id) return 'taken';
        const renames = data.users.get(id)?.renames ?? [];
        const counted = limit ? withRename(renames, limit) : renames;
        if (!Array.isArray(counted)) return counted;
        const rev = ++data.usersRev;
        data.users.set(id, { ...data.users.get(id)!, name, nameKey, rev, renames: counted });
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
    setPassword: (id, passwordHash, keep, at) =>
      call(() => {
        data.users.set(id, { ...data.users.get(id)!, passwordHash, recoveryHash: undefined });
        const others = devices().filter((one) => one.user === id && one.id !== keep);
        for (const one of others) signOut(one, at);
        return others.map((one) => one.id);
      }),
    setRecovery: (id, recoveryHash) =>
      call(() => {
        const user = data.users.get(id);
        if (user) user.recoveryHash = recoveryHash;
      }),
    addDevice: (device, since, verified) =>
      call(() => {
        const { claimHash } = device;
        const user = data.users.get(device.user);
        if (!user || user.passwordHash !== verified) return 'outdated';
        if (devices().some((one) => one.claimHash === claimHash && one.createdAt > since)) return 'claimed';
        add(device);
        return 'added';
      }),
    byToken: (tokenHash) => call(() => signedIn(devices().find((one) => one.tokenHash === tokenHash))),
    byClaim: (claimHash, since) =>
      call(() => signedIn(devices().find((one) => one.claimHash === claimHash && one.createdAt > since))),
    replaceToken: (device, tokenHash) =>
      call(() => void data.devices.set(device, { ...data.devices.get(device)!, tokenHash })),
    removeDevice: (user, id, at) =>
      call(() => {
        const device = data.devices.get(id);
        if (device?.user !== user) return false;
        signOut(device, at);
        return true;
      }),
    wasSignedOut: (tokenHash) => call(() => data.signedOut.has(tokenHash)),
    countDevices: (user) => call(() => devices().filter((one) => one.user === user).length),
    devicesOf: (user) =>
      call(() =>
        devices()
          .filter((one) => one.user === user)
          .toSorted((a, b) => b.createdAt - a.createdAt)
          .map(({ id, createdAt, seenAt }) => ({ id, createdAt, seenAt })),
      ),
    devicesAlive: (ids) => call(() => new Set(ids.filter((id) => data.devices.has(id)))),
    devicesSeen: (ids, at) =>
      call(() => {
        for (const device of ids.flatMap((id) => data.devices.get(id) ?? []))
          device.seenAt = Math.max(device.seenAt, at);
      }),
    expireDevices: (unusedSince, limit) =>
      call(() => {
        const unused = devices()
          .filter(({ seenAt }) => seenAt < unusedSince)
          .slice(0, limit);
        for (const { id } of unused) data.devices.delete(id);
        const old = [...data.signedOut].filter(([, at]) => at < unusedSince).slice(0, limit - unused.length);
        for (const [tokenHash] of old) data.signedOut.delete(tokenHash);
        return unused.length + old.length;
      }),
    addPass: (pass, keep) =>
      call(() => {
        for (const { hash, expiresAt } of [...data.passes.values()])
          if (expiresAt <= pass.createdAt) data.passes.delete(hash);
        if (data.passes.has(pass.hash)) return false;
        const older = [...data.passes.values()]
          .filter(({ user, kind }) => user === pass.user && kind === pass.kind)
          .toSorted((a, b) => b.createdAt - a.createdAt);
        for (const { hash } of older.slice(keep - 1)) data.passes.delete(hash);
        data.passes.set(pass.hash, pass);
        return true;
      }),
    takePass: (hash, claimHash, at) =>
      call(() => {
        const pass = data.passes.get(hash);
        if (!pass || pass.expiresAt <= at || (pass.claimHash ?? claimHash) !== claimHash) return undefined;
        pass.claimHash = claimHash;
        return { user: pass.user, device: pass.device, kind: pass.kind };
      }),
  };
}

function named({ name, rev }: Named): Named {
  return { name, rev };
}
