/** Names that several processes change concurrently. */
import { expect, it, onTestFinished } from 'vitest';
import type { Named, Store } from '../../../../server/store/port.ts';
import { appendNew, join, newId, newRoom, upTo } from '../../../contract/support.ts';
import { mongoHarness, mongoOfFile } from './harness.ts';

const mongo = mongoOfFile();

async function opened() {
  const harness = await mongoHarness(mongo.server);
  onTestFinished(() => harness.destroy());
  return [harness.store, await harness.another(), await harness.another()] as const;
}

async function signedUp({ users }: Store): Promise<string> {
  const [id, name] = [newId(), newId()];
  const device = { id: newId(), user: id, tokenHash: newId(), claimHash: newId(), createdAt: 1 };
  await users.create({ id, name, nameKey: name.toLowerCase(), createdAt: 1 }, device);
  return id;
}

it('concurrent renames by several processes get one revision each; for one user the greatest wins', async () => {
  const stores = await opened();
  const [one, other] = [await signedUp(stores[0]), await signedUp(stores[0])];
  const renames = upTo(30).map(async (n) => {
    const id = n % 3 === 0 ? other : one;
    const named = (await stores[n % 3]!.users.rename(id, `Name ${n}`, `name ${n}`)) as Named;
    return { id, ...named };
  });
  const done = await Promise.all(renames);
  const revs = done.map(({ rev }) => rev);
  expect(new Set(revs).size).toBe(30);
  const newest = (id: string) =>
    done
      .filter((named) => named.id === id)
      .sort((a, b) => a.rev - b.rev)
      .at(-1)!;
  for (const { users } of stores) {
    expect(await users.byId(one)).toMatchObject(newest(one));
    expect(await users.byId(other)).toMatchObject(newest(other));
    expect(await users.latestRev()).toBe(Math.max(...revs));
    expect(await users.changedSince(0, 100)).toEqual(
      [newest(one), newest(other)].sort((a, b) => a.rev - b.rev),
    );
  }
});

it('two concurrent renames to one name: one succeeds, and a new user cannot take the name', async () => {
  const stores = await opened();
  const ids = await Promise.all(stores.map(signedUp));
  const results = await Promise.all(stores.map(({ users }, i) => users.rename(ids[i]!, 'Ada', 'ada')));
  expect(results.filter((result) => result === 'taken')).toHaveLength(2);
  const device = { id: newId(), user: newId(), tokenHash: newId(), claimHash: newId(), createdAt: 1 };
  const user = { id: device.user, name: 'ADA', nameKey: 'ada', createdAt: 1 };
  expect(await stores[0].users.create(user, device)).toBe('taken');
});

it('changed users are found among a thousand strangers, in pages', { timeout: 60_000 }, async () => {
  const [store] = await opened();
  const users = store.db.collection<{ _id: string }>('users');
  const strangers = upTo(500).map((n) => ({
    _id: newId(),
    name: `${n}`,
    nameKey: `${n}`,
    rev: n,
  }));
  await users.insertMany(strangers);
  const [me, friend] = [await signedUp(store), await signedUp(store)];
  const room = await newRoom(store);
  await appendNew(store, [join(room, me), join(room, friend), join(room, strangers[450]!._id)]);
  await store.db.collection<{ _id: string }>('meta').updateOne({}, { $set: { usersRev: 500 } });
  await store.users.rename(friend, 'Bob', 'bob');
  const around = (rev: number, limit: number) => store.users.changedAround(me, rev, limit);
  expect((await around(0, 10)).map(({ rev }) => rev)).toEqual([451, 501]);
  expect((await around(0, 1)).map(({ rev }) => rev)).toEqual([451]);
  expect(await around(451, 10)).toEqual([{ id: friend, name: 'Bob', rev: 501 }]);
  expect(await store.users.changedAround(newId(), 0, 10)).toEqual([]);
});
