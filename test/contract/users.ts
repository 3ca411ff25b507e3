import { expect, it } from 'vitest';
import type { Named, NewDevice, NewUser, Store } from '../../server/store/port.ts';
import { appendNew, type Harness, inDatabase, join, newId, newRoom, upTo } from './support.ts';

export function userCases(open: () => Promise<Harness>): void {
  const db = inDatabase(open);

  const signedUp = () => signUpIn(db.store);

  it('creates a user and the first device atomically', async () => {
    const { user, device } = await signedUp();
    const { id, name, createdAt } = user;
    const stored = { id, name, createdAt, rev: 0, passwordHash: undefined, recoveryHash: undefined };
    expect(await db.store.users.byId(user.id)).toEqual(stored);
    expect(await db.store.users.byNameKey(user.nameKey)).toEqual(stored);
    expect(await db.store.users.byToken(device.tokenHash)).toEqual({
      device: device.id,
      user: stored,
      seenAt: device.createdAt,
    });
    expect(await db.store.users.countDevices(user.id)).toBe(1);
  });

  it('a name belongs to one user: a second sign-up with it leaves nothing behind', async () => {
    const { user } = await signedUp();
    const second = { ...someone(), name: user.name.toUpperCase(), nameKey: user.nameKey };
    const device = deviceOf(second.id);
    expect(await db.store.users.create(second, device)).toBe('taken');
    expect(await db.store.users.byId(second.id)).toBeUndefined();
    expect(await db.store.users.byToken(device.tokenHash)).toBeUndefined();
  });

  it('of many concurrent sign-ups with one name, one succeeds', async () => {
    const name = newId();
    const made = await Promise.all(
      Array.from({ length: 8 }, () => {
        const user = someone(name);
        return db.store.users.create(user, deviceOf(user.id));
      }),
    );
    expect(made.filter((outcome) => outcome === 'created')).toHaveLength(1);
  });

  it('finds no user or device that does not exist', async () => {
    expect(await db.store.users.byId(newId())).toBeUndefined();
    expect(await db.store.users.byNameKey(newId())).toBeUndefined();
    expect(await db.store.users.byToken(newId())).toBeUndefined();
    expect(await db.store.users.byClaim(newId(), 0)).toBeUndefined();
    expect(await db.store.users.countDevices(newId())).toBe(0);
  });

  it('a rename takes the next revision, and only the new name finds the user', async () => {
    const [{ user: a }, { user: b }] = [await signedUp(), await signedUp()];
    const before = await db.store.users.latestRev();
    const first = await db.store.users.rename(a.id, 'Ada the First', `new ${a.nameKey}`);
    const second = await db.store.users.rename(b.id, 'Bob the Second', `new ${b.nameKey}`);
    expect([first, second]).toMatchObject([{ name: 'Ada the First' }, { name: 'Bob the Second' }]);
    const [one, two] = [first, second] as Named[];
    expect(one!.rev).toBeGreaterThan(before);
    expect(two!.rev).toBeGreaterThan(one!.rev);
    expect(await db.store.users.latestRev()).toBe(two!.rev);
    expect(await db.store.users.byId(a.id)).toMatchObject(one!);
    expect(await db.store.users.byNameKey(a.nameKey)).toBeUndefined();
    expect(await db.store.users.byNameKey(`new ${a.nameKey}`)).toMatchObject({ id: a.id });
    expect(await db.store.users.rename(b.id, 'Ada', `new ${a.nameKey}`)).toBe('taken');
    expect(await db.store.users.rename(a.id, 'ADA THE FIRST', `new ${a.nameKey}`)).toMatchObject({
      name: 'ADA THE FIRST',
    });
    expect(await db.store.users.names([b.id])).toEqual(new Map([[b.id, two]]));
  });

  it('a user is renamed so often within a time; what is taken, and what is not limited, does not count', async () => {
    const [{ user }, { user: other }] = [await signedUp(), await signedUp()];
    const rename = (nameKey: string, at?: number) =>
      db.store.users.rename(
        user.id,
        nameKey,
        nameKey,
        at === undefined ? undefined : { at, most: 2, withinMs: 100 },
      );
    const keys = upTo(6).map((n) => `${n} of ${user.nameKey}`);
    expect(await rename(keys[0]!, 1_000)).toMatchObject({ name: keys[0] });
    expect(await rename(other.nameKey, 1_001)).toBe('taken');
    expect(await rename(keys[1]!)).toMatchObject({ name: keys[1] });
    expect(await rename(keys[2]!, 1_002)).toMatchObject({ name: keys[2] });
    await db.harness.reopen();
    expect(await rename(keys[3]!, 1_099)).toEqual({ againAt: 1_100 });
    expect(await db.store.users.byId(user.id)).toMatchObject({ name: keys[2] });
    expect(await rename(keys[4]!, 1_100)).toMatchObject({ name: keys[4] });
    expect(await rename(keys[5]!, 1_101)).toEqual({ againAt: 1_102 });
  });

  it('lists who changed since a revision, in order, among those who share a room', async () => {
    const [{ user: me }, { user: friend }, { user: stranger }] = [
      await signedUp(),
      await signedUp(),
      await signedUp(),
    ];
    const room = await newRoom(db.store);
    await appendNew(db.store, [join(room, me.id), join(room, friend.id)]);
    const since = await db.store.users.latestRev();
    for (const user of [stranger, friend, me])
      await db.store.users.rename(user.id, `new ${user.name}`, `new ${user.nameKey}`);
    const ids = (users: { id: string }[]) => users.map(({ id }) => id);
    expect(ids(await db.store.users.changedSince(since, 100))).toEqual([stranger.id, friend.id, me.id]);
    expect(ids(await db.store.users.changedSince(since, 2))).toEqual([stranger.id, friend.id]);
    const around = await db.store.users.changedAround(me.id, since, 100);
    expect(ids(around)).toEqual([friend.id, me.id]);
    expect(around[0]).toMatchObject({ name: `new ${friend.name}` });
    expect(await db.store.users.changedAround(me.id, around[1]!.rev, 100)).toEqual([]);
  });

  it('finds users by the beginning of their names, in the order of the names', async () => {
    const beginning = newId().toLowerCase();
    const names = ['b', 'a', '', '林', 'c'].map((end) => `${beginning}${end}`);
    const made = names.map((name) => someone(name));
    for (const user of made) await db.store.users.create(user, deviceOf(user.id));
    await signedUp();
    const found = async (key: string, limit: number) =>
      (await db.store.users.search(key, limit)).map(({ name }) => name);
    expect(await found(beginning, 10)).toEqual([names[2], names[1], names[0], names[4], names[3]]);
    expect(await found(beginning, 2)).toEqual([names[2], names[1]]);
    expect(await db.store.users.search(`${beginning}a`, 10)).toEqual([
      { id: made[1]!.id, name: names[1], rev: 0 },
    ]);
    expect(await found(`${beginning}%`, 10)).toEqual([]);
  });

  it('returns the names of existing users', async () => {
    const [{ user: a }, { user: b }] = [await signedUp(), await signedUp()];
    expect(await db.store.users.names([a.id, newId(), b.id])).toEqual(
      new Map([
        [a.id, { name: a.name, rev: 0 }],
        [b.id, { name: b.name, rev: 0 }],
      ]),
    );
    expect(await db.store.users.names([])).toEqual(new Map());
  });

  it('stores the hash of a password, from the start or set later', async () => {
    const withOne = { ...someone(), passwordHash: 'h1' };
    await db.store.users.create(withOne, deviceOf(withOne.id));
    expect((await db.store.users.byId(withOne.id))?.passwordHash).toBe('h1');
    await db.store.users.setPassword(withOne.id, 'h2', newId(), 2_000);
    expect((await db.store.users.byId(withOne.id))?.passwordHash).toBe('h2');
  });

  it('stores the hash of a recovery code, which another one replaces and a change of the password removes', async () => {
    const { user, device } = await signedUp();
    const { user: other } = await signedUp();
    const hashOf = async (id: string) => (await db.store.users.byId(id))?.recoveryHash;
    await db.store.users.setRecovery(user.id, 'r1');
    await db.store.users.setRecovery(other.id, 'r2');
    await db.harness.reopen();
    expect([await hashOf(user.id), await hashOf(other.id)]).toEqual(['r1', 'r2']);
    expect((await db.store.users.byNameKey(user.nameKey))?.recoveryHash).toBe('r1');
    await db.store.users.setRecovery(user.id, 'r3');
    expect((await db.store.users.byToken(device.tokenHash))?.user.recoveryHash).toBe('r3');
    await db.store.users.setPassword(user.id, 'h1', device.id, 2_000);
    expect([await hashOf(user.id), await hashOf(other.id)]).toEqual([undefined, 'r2']);
    await db.store.users.setRecovery(newId(), 'r4'); // of nobody: nothing happens
  });

  it('a claim finds its device for a limited time', async () => {
    const { user, device } = await signedUp(); // made at 1,000
    expect(await db.store.users.byClaim(device.claimHash, 999)).toMatchObject({
      device: device.id,
      user: { id: user.id },
    });
    expect(await db.store.users.byClaim(device.claimHash, 1_000)).toBeUndefined();
  });

  it('a fresh token replaces the old one', async () => {
    const { device } = await signedUp();
    const fresh = newId();
    await db.store.users.replaceToken(device.id, fresh);
    expect(await db.store.users.byToken(device.tokenHash)).toBeUndefined();
    expect(await db.store.users.byToken(fresh)).toMatchObject({ device: device.id });
  });

  it('a claim creates one device, and another one when it has expired', async () => {
    const { user, device } = await signedUp();
    const again = { ...deviceOf(user.id, 2_000), claimHash: device.claimHash };
    expect(await db.store.users.addDevice(again, device.createdAt - 1, undefined)).toBe('claimed');
    expect(await db.store.users.countDevices(user.id)).toBe(1);
    expect(await db.store.users.addDevice(again, device.createdAt, undefined)).toBe('added');
    expect(await db.store.users.countDevices(user.id)).toBe(2);
    expect(await db.store.users.byClaim(device.claimHash, 1_500)).toMatchObject({ device: again.id });
    expect(await db.store.users.byToken(again.tokenHash)).toMatchObject({ device: again.id });
  });

  it('devices can be added and removed; a removed one is signed out for good', async () => {
    const { user, device } = await signedUp();
    const second = deviceOf(user.id);
    expect(await db.store.users.addDevice(second, 0, undefined)).toBe('added');
    expect(await db.store.users.countDevices(user.id)).toBe(2);
    expect(await db.store.users.removeDevice(user.id, device.id, 2_000)).toBe(true);
    expect(await db.store.users.removeDevice(user.id, device.id, 2_000)).toBe(false);
    expect(await db.store.users.countDevices(user.id)).toBe(1);
    expect(await db.store.users.byToken(device.tokenHash)).toBeUndefined();
    expect(await db.store.users.byClaim(device.claimHash, 0)).toBeUndefined();
    expect(await db.store.users.devicesAlive([device.id, second.id, newId()])).toEqual(new Set([second.id]));
  });

  it('a device of somebody else is not removed', async () => {
    const [{ device }, { user: other }] = [await signedUp(), await signedUp()];
    expect(await db.store.users.removeDevice(other.id, device.id, 2_000)).toBe(false);
    expect(await db.store.users.byToken(device.tokenHash)).toMatchObject({ device: device.id });
    expect(await db.store.users.wasSignedOut(device.tokenHash)).toBe(false);
  });

  it('lists the devices of a user, the newest first, with the time when each was last seen', async () => {
    const { user, device: first } = await signedUp();
    await signedUp();
    const [second, third] = [deviceOf(user.id, 3_000), deviceOf(user.id, 2_000)];
    await db.store.users.addDevice(second, 0, undefined);
    await db.store.users.addDevice(third, 0, undefined);
    await db.store.users.devicesSeen([first.id, third.id, newId()], 5_000);
    await db.store.users.devicesSeen([first.id], 4_000); // of a process whose clock is slow
    expect(await db.store.users.devicesOf(user.id)).toEqual([
      { id: second.id, createdAt: 3_000, seenAt: 3_000 },
      { id: third.id, createdAt: 2_000, seenAt: 5_000 },
      { id: first.id, createdAt: 1_000, seenAt: 5_000 },
    ]);
    expect(await db.store.users.byToken(third.tokenHash)).toMatchObject({ seenAt: 5_000 });
    expect(await db.store.users.byClaim(third.claimHash, 0)).toMatchObject({ seenAt: 5_000 });
    await db.store.users.removeDevice(user.id, third.id, 6_000);
    expect((await db.store.users.devicesOf(user.id)).map(({ id }) => id)).toEqual([second.id, first.id]);
    expect(await db.store.users.devicesOf(newId())).toEqual([]);
    await db.store.users.devicesSeen([], 7_000);
    await db.store.users.devicesSeen([third.id], 7_000); // it stays signed out
    expect(await db.store.users.byToken(third.tokenHash)).toBeUndefined();
  });

  it('a change of the password signs out all devices of the user but one', async () => {
    const { user, device: keep } = await signedUp();
    const { user: other, device: foreign } = await signedUp();
    const [second, third] = [deviceOf(user.id), deviceOf(user.id)];
    await db.store.users.addDevice(second, 0, undefined);
    await db.store.users.addDevice(third, 0, undefined);
    const removed = await db.store.users.setPassword(user.id, 'h1', keep.id, 2_000);
    expect(removed.toSorted()).toEqual([second.id, third.id].toSorted());
    expect((await db.store.users.byId(user.id))?.passwordHash).toBe('h1');
    expect((await db.store.users.devicesOf(user.id)).map(({ id }) => id)).toEqual([keep.id]);
    for (const gone of [second, third]) {
      expect(await db.store.users.byToken(gone.tokenHash)).toBeUndefined();
      expect(await db.store.users.byClaim(gone.claimHash, 0)).toBeUndefined();
      expect(await db.store.users.wasSignedOut(gone.tokenHash)).toBe(true);
    }
    expect(await db.store.users.wasSignedOut(keep.tokenHash)).toBe(false);
    expect(await db.store.users.byToken(foreign.tokenHash)).toMatchObject({ user: { id: other.id } });
    expect(await db.store.users.setPassword(user.id, 'h2', keep.id, 3_000)).toEqual([]);
  });

  it('a sign-in with a password that was changed since it was verified adds no device', async () => {
    const { user, device } = await signedUp();
    await db.store.users.setPassword(user.id, 'h1', device.id, 2_000);
    const late = deviceOf(user.id);
    for (const verified of [undefined, 'h0']) {
      expect(await db.store.users.addDevice(late, 0, verified)).toBe('outdated');
      expect(await db.store.users.byToken(late.tokenHash)).toBeUndefined();
      expect(await db.store.users.byClaim(late.claimHash, 0)).toBeUndefined();
    }
    expect(await db.store.users.addDevice({ ...late, id: newId() }, 0, 'h1')).toBe('added');
    expect(await db.store.users.countDevices(user.id)).toBe(2);
    const nobody = newId();
    expect(await db.store.users.addDevice(deviceOf(nobody), 0, undefined)).toBe('outdated');
    expect(await db.store.users.countDevices(nobody)).toBe(0);
  });

  it('of sign-ins concurrent with a change of the password, none with the old one stays', async () => {
    for (let n = 0; n < 8; n++) {
      const { user, device: keep } = await signedUp();
      const early = Array.from({ length: 4 }, () => deviceOf(user.id));
      await Promise.all([
        ...early.slice(0, 2).map((one) => db.store.users.addDevice(one, 0, undefined)),
        db.store.users.setPassword(user.id, 'h1', keep.id, 2_000),
        ...early.slice(2).map((one) => db.store.users.addDevice(one, 0, undefined)),
      ]);
      expect((await db.store.users.devicesOf(user.id)).map(({ id }) => id)).toEqual([keep.id]);
    }
  });

  it('tells a token that was signed out from one that is not known', async () => {
    const { user, device } = await signedUp();
    const fresh = newId();
    await db.store.users.replaceToken(device.id, fresh);
    expect(await db.store.users.wasSignedOut(device.tokenHash)).toBe(false);
    expect(await db.store.users.wasSignedOut(fresh)).toBe(false);
    await db.store.users.removeDevice(user.id, device.id, 2_000);
    expect(await db.store.users.wasSignedOut(fresh)).toBe(true);
    expect(await db.store.users.wasSignedOut(device.tokenHash)).toBe(false);
    expect(await db.store.users.wasSignedOut(newId())).toBe(false);
    await db.harness.reopen();
    expect(await db.store.users.wasSignedOut(fresh)).toBe(true);
  });

  it('all of it is there after reopening the store', async () => {
    const { user, device } = await signedUp();
    await db.harness.reopen();
    expect(await db.store.users.byToken(device.tokenHash)).toMatchObject({
      device: device.id,
      user: { id: user.id },
    });
  });
}

export function expiryCases(open: () => Promise<Harness>): void {
  const db = inDatabase(open);

  it('devices that nobody uses expire in slices: they are unknown then, not signed out', async () => {
    const { user, device: used } = await signUpIn(db.store);
    const [unused, removed, late] = [deviceOf(user.id, 10), deviceOf(user.id, 20), deviceOf(user.id, 5_000)];
    for (const one of [unused, removed, late]) await db.store.users.addDevice(one, 0, undefined);
    await db.store.users.removeDevice(user.id, removed.id, 900);
    await db.store.users.removeDevice(user.id, late.id, 5_000);
    await db.store.users.devicesSeen([used.id], 2_000);

    const since = 1_000;
    expect(await db.store.users.expireDevices(10, 100)).toBe(0);
    expect(await db.store.users.expireDevices(since, 1)).toBe(1);
    expect(await db.store.users.expireDevices(since, 100)).toBe(1);
    expect(await db.store.users.expireDevices(since, 100)).toBe(0);
    expect((await db.store.users.devicesOf(user.id)).map(({ id }) => id)).toEqual([used.id]);
    expect(await db.store.users.byToken(unused.tokenHash)).toBeUndefined();
    expect(await db.store.users.byClaim(unused.claimHash, 0)).toBeUndefined();
    expect(await db.store.users.devicesAlive([unused.id, used.id])).toEqual(new Set([used.id]));
    for (const forgotten of [unused, removed])
      expect(await db.store.users.wasSignedOut(forgotten.tokenHash)).toBe(false);
    expect(await db.store.users.wasSignedOut(late.tokenHash)).toBe(true);
    expect(await db.store.users.byToken(used.tokenHash)).toMatchObject({ seenAt: 2_000 });
  });
}

async function signUpIn(store: Store): Promise<{ user: NewUser; device: NewDevice }> {
  const user = someone();
  const device = deviceOf(user.id);
  expect(await store.users.create(user, device)).toBe('created');
  return { user, device };
}

export function someone(name: string = newId()): NewUser {
  return { id: newId(), name, nameKey: name.toLowerCase(), createdAt: 1 };
}

export function deviceOf(user: string, createdAt = 1_000): NewDevice {
  return { id: newId(), user, tokenHash: newId(), claimHash: newId(), createdAt };
}
