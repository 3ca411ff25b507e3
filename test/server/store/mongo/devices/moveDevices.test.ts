/** Devices in user documents, beside processes of version 0.1, and how `finish-upgrade` moves them. */
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { MongoClient } from 'mongodb';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  type Collections,
  collectionsOf,
  VERSION,
} from '../../../../../server/store/mongo/base/collections.ts';
import { devicesOn } from '../../../../../server/store/mongo/devices/deviceStore.ts';
import { moveDevices } from '../../../../../server/store/mongo/devices/moveDevices.ts';
import { type MongoStore, openMongo } from '../../../../../server/store/mongo/index.ts';
import { leastVersion } from '../../../../../server/store/mongo/open/databaseVersion.ts';
import { finishUpgrade } from '../../../../../server/store/mongo/open/maintenance.ts';
import { MIGRATION_STEPS } from '../../../../../server/store/mongo/open/migrate.ts';
import { usersOn } from '../../../../../server/store/mongo/userStore.ts';
import type { NewDevice } from '../../../../../server/store/port.ts';
import { sharedUserCases } from '../../../../contract/shared/users.ts';
import { newId, upTo } from '../../../../contract/support.ts';
import { deviceOf, someone, userCases } from '../../../../contract/users.ts';
import { loadVersion01, unpackVersion01 } from '../../../../support/mongo/version01.ts';
import { type Random, seeded } from '../../../../support/random.ts';
import { mongoHarness, mongoOfFile, silent } from '../harness.ts';

const mongo = mongoOfFile();

describe('before the upgrade is finished', () => {
  describe('users', () => userCases(() => mongoHarness(mongo.server, loadVersion01)));
  describe('users, by several', () => sharedUserCases(() => mongoHarness(mongo.server, loadVersion01)));

  it('a session that one version began is valid at the other, and so is its end', async () => {
    const url = mongo.server.anotherUrl();
    await loadVersion01(url);
    const version01 = await unpackVersion01();
    onTestFinished(() => version01.remove());
    const asked = async (call: string, ...args: unknown[]) => {
      const script = version01.path('ask.ts');
      await writeFile(
        script,
        `import { openMongo } from './server/store/mongo/index.ts';
         const [url, call, args] = process.argv.slice(2);
         const store = await openMongo({ url, log: { warn() {}, error() {} } });
         console.log(JSON.stringify(await store.users[call](...JSON.parse(args)) ?? null));
         process.exit(0);`,
      );
      const ran = spawnSync(process.execPath, [script, url, call, JSON.stringify(args)], {
        encoding: 'utf8',
      });
      expect(ran.stderr).not.toContain('Error');
      return JSON.parse(ran.stdout);
    };
    const store = await open(url);
    const user = someone();
    const [first, second, third] = [deviceOf(user.id), deviceOf(user.id), deviceOf(user.id)];
    expect(await store.users.create(user, first)).toBe('created');
    await store.users.devicesSeen([first.id], 5_000);
    expect(await asked('byToken', first.tokenHash)).toMatchObject({
      device: first.id,
      user: { id: user.id },
    });
    expect(await store.users.addDevice(second, 0, undefined)).toBe('added');
    expect(await asked('byClaim', second.claimHash, 0)).toMatchObject({ device: second.id });
    expect(await asked('addDevice', third, 0)).toBe('added');
    expect(await store.users.byToken(third.tokenHash)).toMatchObject({
      device: third.id,
      seenAt: third.createdAt,
    });
    expect(await asked('removeDevice', first.id)).toBe(true);
    expect(await store.users.byToken(first.tokenHash)).toBeUndefined();
    await store.users.removeDevice(user.id, second.id, 2_000);
    expect(await asked('byToken', second.tokenHash)).toBeNull();
    expect(await store.users.wasSignedOut(second.tokenHash)).toBe(true);
  });
});

const MOVES_DEVICES = MIGRATION_STEPS.find(({ adds }) => adds === 'documents of their own for devices')!;

it('every session is valid after the upgrade, at processes that were running and at later ones', {
  timeout: 60_000,
}, async () => {
  const url = mongo.server.anotherUrl();
  const saved = await loadVersion01(url);
  const running = await open(url);
  const [ada] = saved.users as [(typeof saved.users)[0]];
  const more = upTo(60).map(() => {
    const user = someone();
    return { user, device: deviceOf(user.id) };
  });
  await using client = await new MongoClient(url).connect();
  const stored = more.map(({ user: { id, ...user }, device: { user: _, ...device } }) => {
    return { _id: id, ...user, devices: [device] };
  });
  await client.db().collection<(typeof stored)[0]>('users').insertMany(stored);
  const second = { ...deviceOf(ada.id), claimHash: 'claim of Ada' }; // after its claim had expired
  await running.users.addDevice(second, Number.POSITIVE_INFINITY, 'a hash');
  const abandoned = { _id: newId(), user: newId(), tokenHash: newId(), claimHash: 'claim of Bob' };
  await client.db().collection<typeof abandoned>('devices').insertOne(abandoned);
  const devicesBefore = await running.users.devicesOf(ada.id);
  expect(devicesBefore).toHaveLength(2);

  const at = Date.now();
  expect(await finishUpgrade(url, silent)).toBe('finished');
  for (const store of [running, await open(url)]) {
    for (const { id, name } of saved.users) {
      expect(await store.users.byToken(`token of ${name}`)).toMatchObject({ user: { id } });
      if (name !== 'Bob')
        expect(await store.users.byClaim(`claim of ${name}`, 0)).toMatchObject({ user: { id } });
    }
    for (const { user, device } of more)
      expect(await store.users.byToken(device.tokenHash)).toMatchObject({
        device: device.id,
        user: { id: user.id },
      });
    expect(await store.users.byToken(second.tokenHash)).toMatchObject({
      device: second.id,
      user: { id: ada.id },
    });
    expect(await store.users.byClaim(second.claimHash, 0)).toMatchObject({ device: second.id });
    const devices = await store.users.devicesOf(ada.id);
    expect(devices.map(({ id }) => id)).toEqual(devicesBefore.map(({ id }) => id));
    expect(Math.min(...devices.map(({ seenAt }) => seenAt))).toBeGreaterThanOrEqual(at);
  }
  expect(
    await client
      .db()
      .collection('users')
      .countDocuments({ devices: { $exists: true } }),
  ).toBe(0);
  expect(
    await client
      .db()
      .collection('devices')
      .countDocuments({ staged: { $exists: true } }),
  ).toBe(0);
});

it('a move that ends before or after any of its writes is finished by the next one', async () => {
  const url = mongo.server.anotherUrl();
  await (await open(url)).close();
  await using client = await new MongoClient(url).connect();
  const db = client.db();
  const all = collectionsOf(db);
  const users = devicesOn(all, Date.now);
  let writes = 0;
  for (let at = 1, isCut = true; isCut; at++) {
    const [claimed, other] = [deviceOf(newId()), deviceOf(newId())];
    const stored = [claimed, other].map(({ user, ...device }) => {
      const more = { ...deviceOf(user), claimHash: device.claimHash };
      return { _id: user, name: user, nameKey: user, createdAt: 1, devices: [device, more] };
    });
    await all.users.insertMany(stored);
    isCut = await cutAt(at, all, (cut) =>
      moveDevices(
        cut,
        stored.map(({ _id }) => _id),
      ),
    );
    // meanwhile a token is replaced where the device is found at first
    const fresh = newId();
    const [device] = (await all.users.findOne({ _id: other.user }))?.devices ?? [];
    if (device)
      await all.users.updateOne({ 'devices.id': device.id }, { $set: { 'devices.$.tokenHash': fresh } });
    else await users.replaceToken(other.id, fresh);
    expect(await MOVES_DEVICES.runPart(db, undefined)).toBeUndefined();
    expect((await users.byTokens([claimed.tokenHash]))[0]).toMatchObject({
      device: claimed.id,
      user: { id: claimed.user },
    });
    expect((await users.byTokens([fresh]))[0]).toMatchObject({ device: other.id, user: { id: other.user } });
    expect((await users.byTokens([other.tokenHash]))[0]).toBeUndefined();
    expect(await users.byClaim(other.claimHash, 0)).toMatchObject({ device: stored[1]!.devices[1]!.id });
    expect(await users.countDevices(claimed.user)).toBe(2);
    expect(await all.devices.countDocuments({ staged: { $exists: true } })).toBe(0);
    writes = at;
  }
  expect(writes).toBe(11);
});

/** Runs `work` on collections whose methods fail from a moment on: before (odd) or after (even) a call. True where it failed. */
async function cutAt(
  moment: number,
  { users, devices, meta }: Collections,
  work: (on: Pick<Collections, 'users' | 'devices' | 'meta'>) => Promise<void>,
): Promise<boolean> {
  let moments = 0;
  const pass = () => {
    if (++moments === moment) throw new Error('cut');
  };
  const cutting = <T extends object>(collection: T): T =>
    new Proxy(collection, {
      get(target, name) {
        const method = Reflect.get(target, name);
        if (typeof method !== 'function' || !WRITES.has(String(name))) return method;
        return async (...args: unknown[]) => {
          pass();
          const value = await method.apply(target, args);
          pass();
          return value;
        };
      },
    });
  return work({ users: cutting(users), devices: cutting(devices), meta }).then(
    () => false,
    (error: Error) => {
      expect(error.message).toBe('cut');
      return true;
    },
  );
}

const WRITES = new Set(['bulkWrite', 'deleteMany', 'updateMany']);

it('while devices are moved people sign up, in and out at several processes: no session is lost, none comes back', {
  timeout: 240_000,
}, async () => {
  const url = mongo.server.anotherUrl();
  await loadVersion01(url);
  await (await open(url)).close(); // all steps but the last
  await using client = await new MongoClient(url).connect();
  const all = collectionsOf(client.db(undefined, { writeConcern: { w: 'majority' } }));
  const readHasOwnDevices = async () => leastVersion((await all.meta.findOne())!) >= VERSION;
  const processes = [false, true].map((isTold) =>
    usersOn(
      all,
      {
        takesNewKinds: () => true,
        mayHaveEmbeddedDevices: () => true,
        readHasOwnDevices,
        hasOwnDevices: () => isTold && isUnderWay,
      },
      Date.now,
    ),
  );
  let isUnderWay = false;
  const random = seeded(13);
  const people = await Promise.all(upTo(5).map(() => person(processes, random)));
  const works = people.map(async (one, n) => {
    for (const _ of upTo(5 + 4 * n)) await one.step();
  });
  const newcomers = async () => {
    for (const _ of upTo(6)) people.push(await person(processes, random));
  };
  const move = async () => {
    const raised = { minVersion: VERSION, schemaVersion: VERSION };
    await all.meta.updateOne({}, { $set: { ...raised, steps: MIGRATION_STEPS.indexOf(MOVES_DEVICES) } });
    isUnderWay = true;
    // as several processes may do, one of them from the beginning
    const { runPart } = MOVES_DEVICES;
    await Promise.all([runPart(client.db(), undefined), runPart(client.db(), undefined)]);
    await runPart(client.db(), undefined);
    await all.meta.updateOne({}, { $set: { steps: MIGRATION_STEPS.length } });
  };
  await Promise.all([...works, newcomers(), move()]);
  for (const one of people) await one.step();
  expect(await all.users.countDocuments({ devices: { $exists: true } })).toBe(0);
  for (const users of [...processes, devicesOn(all, Date.now)]) {
    for (const { user, signedIn, signedOut, replaced } of people) {
      const ids = (await users.devicesOf(user)).map(({ id }) => id);
      expect(ids.toSorted()).toEqual([...signedIn.keys()].toSorted());
      for (const [id, { tokenHash }] of signedIn)
        expect((await users.byTokens([tokenHash]))[0]).toMatchObject({ device: id, user: { id: user } });
      for (const token of [...signedOut, ...replaced]) {
        expect((await users.byTokens([token]))[0]).toBeUndefined();
        expect(await users.wasSignedOut(token)).toBe(signedOut.includes(token));
      }
    }
  }
});

/** A user who does one thing after the other, each at any of the processes. */
async function person(processes: readonly ReturnType<typeof usersOn>[], random: Random) {
  const user = someone();
  const signedIn = new Map<string, NewDevice>();
  const signedOut: string[] = [];
  const replaced: string[] = [];
  let passwordHash: string | undefined;
  const users = random.pick(processes);
  const first = deviceOf(user.id);
  expect(await users.create(user, first)).toBe('created');
  signedIn.set(first.id, first);

  function end(ids: readonly string[]): void {
    for (const id of ids) {
      signedOut.push(signedIn.get(id)!.tokenHash);
      signedIn.delete(id);
    }
  }

  async function step(): Promise<void> {
    const users = random.pick(processes);
    const device = random.pick([...signedIn.values(), undefined]);
    if (!device) {
      const added = deviceOf(user.id);
      expect(await users.addDevice(added, 0, passwordHash)).toBe('added');
      signedIn.set(added.id, added);
      return;
    }
    switch (random.int(0, 3)) {
      case 0:
        expect(await users.removeDevice(user.id, device.id, 2_000)).toBe(true);
        return end([device.id]);
      case 1: {
        const fresh = newId();
        await users.replaceToken(device.id, fresh);
        replaced.push(device.tokenHash);
        signedIn.set(device.id, { ...device, tokenHash: fresh });
        return;
      }
      case 2: {
        const hash = newId();
        const others = await users.setPassword(user.id, hash, device.id, 2_000);
        passwordHash = hash;
        expect(others.toSorted()).toEqual([...signedIn.keys()].filter((id) => id !== device.id).toSorted());
        return end(others);
      }
      default:
        expect((await users.byTokens([device.tokenHash]))[0]).toMatchObject({ device: device.id });
        expect(await users.devicesAlive([...signedIn.keys()])).toEqual(new Set(signedIn.keys()));
        expect(await users.countDevices(user.id)).toBe(signedIn.size);
    }
  }

  return { user: user.id, signedIn, signedOut, replaced, step };
}

async function open(url: string): Promise<MongoStore> {
  const store = await openMongo({ url, log: silent });
  onTestFinished(() => store.close());
  return store;
}
