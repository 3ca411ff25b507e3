/** A sign-up is two writes, the device and the user: what is left where a process dies between them. */
import { expect, it, onTestFinished } from 'vitest';
import type { MongoStore } from '../../../../../server/store/mongo/index.ts';
import { newId, upTo } from '../../../../contract/support.ts';
import { deviceOf, someone } from '../../../../contract/users.ts';
import { mongoHarness, mongoOfFile } from '../harness.ts';

const mongo = mongoOfFile();

async function opened() {
  const harness = await mongoHarness(mongo.server);
  onTestFinished(() => harness.destroy());
  return [harness.store, (await harness.another()) as MongoStore] as const;
}

/** A sign-up of a process that died after its first write. */
async function abandoned({ db }: MongoStore) {
  const user = someone();
  const { id, ...device } = deviceOf(user.id);
  const document = { _id: id, ...device, seenAt: device.createdAt, signUpAt: Date.now() };
  await db.collection<typeof document>('devices').insertOne(document);
  return { user, device: { id, ...device } };
}

it('an abandoned sign-up signs nobody in, and its name is free', async () => {
  const [{ users }, store] = await opened();
  const { user, device } = await abandoned(store);
  expect(await users.byToken(device.tokenHash)).toBeUndefined();
  expect(await users.byClaim(device.claimHash, 0)).toBeUndefined();
  expect(await users.byNameKey(user.nameKey)).toBeUndefined();
  const other = { ...someone(), name: user.name, nameKey: user.nameKey };
  expect(await users.create(other, deviceOf(other.id))).toBe('created');
});

it('whoever repeats it with its claim gets the user and device of the first attempt', async () => {
  const [{ users }, store] = await opened();
  const { user, device } = await abandoned(store);
  const again = { ...someone(user.name), name: user.name };
  const itsDevice = { ...deviceOf(again.id), claimHash: device.claimHash };
  expect(await users.create(again, itsDevice)).toBe('taken'); // then the claim is looked up
  expect(await users.byClaim(device.claimHash, 0)).toMatchObject({
    device: device.id,
    user: { id: user.id },
  });
  expect(await users.byId(again.id)).toBeUndefined();
  // the first process was only slow
  expect(await users.create(user, { ...device, id: newId(), tokenHash: newId() })).toBe('taken');
  expect(await users.countDevices(user.id)).toBe(1);
});

it('two processes repeat it at the same time: one user, one device', async () => {
  const stores = await opened();
  for (const _ of upTo(10)) {
    const { user, device } = await abandoned(stores[0]);
    const made = await Promise.all(
      stores.map(({ users }) => {
        const again = someone(user.name);
        return users.create(again, { ...deviceOf(again.id), claimHash: device.claimHash });
      }),
    );
    expect(made).toEqual(['taken', 'taken']);
    for (const { users } of stores)
      expect(await users.byClaim(device.claimHash, 0)).toMatchObject({
        device: device.id,
        user: { id: user.id, name: user.name },
      });
  }
});

it('where somebody else has taken the name meanwhile, the claim serves for signing in there', async () => {
  const [{ users }, store] = await opened();
  const { user, device } = await abandoned(store);
  const other = { ...someone(), nameKey: user.nameKey };
  await users.create(other, deviceOf(other.id));
  const again = { ...someone(), nameKey: user.nameKey };
  const mine = { ...deviceOf(again.id), claimHash: device.claimHash };
  expect(await users.create(again, mine)).toBe('taken');
  expect(await users.byClaim(device.claimHash, 0)).toBeUndefined();
  expect(await users.addDevice({ ...mine, user: other.id }, 0, undefined)).toBe('added');
  expect(await users.byClaim(device.claimHash, 0)).toMatchObject({ device: mine.id, user: { id: other.id } });
});

it('the claim of a user who was renamed since does not block a sign-up', async () => {
  const [{ users }] = await opened();
  const user = someone();
  const device = deviceOf(user.id);
  await users.create(user, device);
  await users.rename(user.id, 'renamed', newId());
  const again = { ...someone(), nameKey: user.nameKey };
  expect(await users.create(again, { ...deviceOf(again.id), claimHash: device.claimHash })).toBe('created');
  expect(await users.byToken(device.tokenHash)).toMatchObject({ user: { id: user.id } });
});

it('an abandoned sign-up is removed after some minutes; a finished one keeps its device', async () => {
  const [{ users }, store] = await opened();
  const { device } = await abandoned(store);
  const user = someone();
  const finished = deviceOf(user.id);
  await users.create(user, finished);
  const devices = () => store.db.collection('devices').find().toArray();
  expect(await users.expireDevices(0, 100)).toBe(0);
  expect(await devices()).toHaveLength(2);
  await store.db
    .collection('devices')
    .updateMany({ signUpAt: { $exists: true } }, { $inc: { signUpAt: -11 * 60_000 } });
  expect(await users.expireDevices(0, 1)).toBe(1);
  expect(await users.expireDevices(0, 100)).toBe(1);
  expect(await users.expireDevices(0, 100)).toBe(0);
  expect(await devices()).toMatchObject([{ _id: finished.id }]);
  expect(await users.byToken(finished.tokenHash)).toMatchObject({ user: { id: user.id } });
  expect(await users.byToken(device.tokenHash)).toBeUndefined();
});
