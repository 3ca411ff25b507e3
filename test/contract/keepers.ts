import { expect, it } from 'vitest';
import type { ComeBackRequest } from '../../server/store/port.ts';
import { type Harness, inDatabase, newId } from './support.ts';
import { deviceOf, someone } from './users.ts';

export function keeperCases(open: () => Promise<Harness>): void {
  const db = inDatabase(open);

  it('keepers stay keepers, in the order in which they became ones', async () => {
    const { keepers } = db.store;
    const [one, other] = [newId(), newId()];
    await keepers.add(one, 9_000_000_000_001);
    await keepers.add(other, 9_000_000_000_002);
    await keepers.add(one, 9_000_000_000_003);
    await db.harness.reopen();
    expect((await db.store.keepers.all()).filter((user) => user === one || user === other)).toEqual([
      one,
      other,
    ]);
  });

  it('the role is taken from all but the last keeper, also where they take it from each other at once', async () => {
    const { keepers } = db.store;
    const [one, other] = [newId(), newId()];
    for (const user of [one, other]) await keepers.add(user, 9_000_000_000_000);
    for (const user of await keepers.all()) if (user !== one && user !== other) await keepers.remove(user);
    expect(await keepers.remove(newId())).toBe(false);
    for (let n = 0; n < 5; n++) {
      await Promise.all([keepers.remove(one), keepers.remove(other)]);
      expect((await keepers.all()).length).toBeGreaterThan(0);
      for (const user of [one, other]) await keepers.add(user, 9_000_000_000_000);
    }
    expect(await keepers.remove(one)).toBe(true);
    expect(await keepers.remove(other)).toBe(false);
    expect(await keepers.remove(one)).toBe(false);
    expect(await keepers.all()).toEqual([other]);
  });

  it('who is suspended stays so until that is lifted', async () => {
    const [one, other] = [newId(), newId()];
    const suspended = async () =>
      (await db.store.keepers.suspended()).filter((user) => user === one || user === other).toSorted();
    for (const user of [one, other, one]) await db.store.keepers.suspend(user, 1_000);
    await db.harness.reopen();
    expect(await suspended()).toEqual([one, other].toSorted());
    for (const user of [one, one, newId()]) await db.store.keepers.lift(user);
    expect(await suspended()).toEqual([other]);
    await db.store.keepers.suspend(one, 2_000);
    expect(await suspended()).toEqual([one, other].toSorted());
  });

  it('the first user is the one who signed up first', async () => {
    const [second, first, last] = [
      { ...someone(), createdAt: 3 },
      { ...someone(), createdAt: 2 },
      { ...someone(), createdAt: 4 },
    ];
    for (const user of [second, first, last]) await db.store.users.create(user, deviceOf(user.id));
    expect(await db.store.keepers.firstUser()).toBe(first.id);
  });

  it('a request waits until it is decided, once, or expires', async () => {
    const made = [requestOf({ createdAt: 1_001 }), requestOf(), requestOf({ createdAt: 1_002 })] as const;
    for (const request of made) await db.store.keepers.addRequest(request);
    await db.harness.reopen();
    const { keepers } = db.store;
    const waiting = async (at = 1_500) => {
      const all = await keepers.requests(at);
      return all.filter(({ hash }) => made.some((one) => one.hash === hash));
    };
    expect(await waiting()).toEqual([made[1], made[0], made[2]]);
    expect(await waiting(2_000)).toEqual([]);
    expect(await keepers.requestState(made[0].hash, 1_500)).toBe('waiting');
    expect(await keepers.requestState(made[0].hash, 2_000)).toBeUndefined();
    expect(await keepers.requestState(newId(), 1_500)).toBeUndefined();

    expect(await keepers.decide(made[0].hash, 'approved', 1_500)).toEqual(made[0]);
    expect(await keepers.decide(made[0].hash, 'approved', 1_501)).toEqual(made[0]);
    expect(await keepers.decide(made[0].hash, 'refused', 1_502)).toBeUndefined();
    expect(await keepers.decide(made[1].hash, 'refused', 1_500)).toEqual(made[1]);
    expect(await keepers.decide(made[1].hash, 'approved', 1_500)).toBeUndefined();
    expect(await keepers.decide(made[2].hash, 'approved', 2_000)).toBeUndefined();
    expect(await keepers.decide(newId(), 'approved', 1_500)).toBeUndefined();
    expect(await waiting()).toEqual([made[2]]);
    const states = made.map(({ hash }) => keepers.requestState(hash, 1_500));
    expect(await Promise.all(states)).toEqual(['approved', 'refused', 'waiting']);
  });

  it('requests that have expired are deleted when somebody asks', async () => {
    const { keepers } = db.store;
    const old = requestOf({ expiresAt: 1_500 });
    await keepers.addRequest(old);
    await keepers.addRequest(requestOf({ createdAt: 1_500, expiresAt: 1_600 }));
    expect(await keepers.requestState(old.hash, 1_400)).toBeUndefined();
  });

  it('of concurrent decisions that differ one holds', async () => {
    const { keepers } = db.store;
    for (let n = 0; n < 5; n++) {
      const { hash, ...rest } = requestOf();
      await keepers.addRequest({ hash, ...rest });
      const decisions = (['approved', 'refused'] as const).map((state) => keepers.decide(hash, state, 1_500));
      expect((await Promise.all(decisions)).filter((one) => one !== undefined)).toHaveLength(1);
    }
  });
}

/** Made at 1,000, expires at 2,000. */
function requestOf(changes: Partial<ComeBackRequest> = {}): ComeBackRequest {
  return { hash: newId(), user: newId(), number: '0471', createdAt: 1_000, expiresAt: 2_000, ...changes };
}
