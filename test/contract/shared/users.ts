import { expect, it } from 'vitest';
import { passOf } from '../oneTimePasses.ts';
import { newId, type SharedHarness, upTo } from '../support.ts';
import { deviceOf, someone } from '../users.ts';
import { inSharedDatabase } from './stores.ts';

export function sharedUserCases(open: () => Promise<SharedHarness>): void {
  const db = inSharedDatabase(open);

  it('concurrent sign-ups with one name at several stores: one user, with one device', async () => {
    for (const n of upTo(6)) {
      const name = `Wanted ${n} ${newId()}`;
      const asked = db.stores.map(() => {
        const user = someone(name);
        return { user, device: deviceOf(user.id) };
      });
      const said = await Promise.all(
        db.stores.map((store, i) => store.users.create(asked[i]!.user, asked[i]!.device)),
      );
      expect(said.toSorted()).toEqual(['created', 'taken', 'taken']);
      const winner = asked[said.indexOf('created')]!;
      for (const store of db.stores) {
        expect((await store.users.byNameKey(winner.user.nameKey))?.id).toBe(winner.user.id);
        for (const { user, device } of asked) {
          const isWinner = user === winner.user;
          expect((await store.users.byId(user.id)) !== undefined).toBe(isWinner);
          expect((await store.users.byToken(device.tokenHash)) !== undefined).toBe(isWinner);
        }
      }
    }
  });

  it('of concurrent renames of one user at several stores, only so many as are allowed are done', async () => {
    const user = someone();
    await db.store.users.create(user, deviceOf(user.id));
    const limit = { at: 2_000, most: 3, withinMs: 500 };
    const said = await Promise.all(
      upTo(6).map((n) => db.stores[n % 3]!.users.rename(user.id, `${n}`, `${n} of ${user.nameKey}`, limit)),
    );
    const done = said.filter((one) => one !== 'taken' && 'name' in one);
    expect(done).toHaveLength(3);
    expect(said).toContainEqual({ againAt: 2_500 });
  });

  it('a sign-up repeated at another store after its answer was lost: the claim finds one device at both', async () => {
    for (const _ of upTo(6)) {
      const claimHash = newId();
      const name = newId();
      const asked = db.stores.map(() => {
        const user = someone(name);
        return { user, device: { ...deviceOf(user.id), claimHash } };
      });
      await Promise.all(db.stores.map((store, i) => store.users.create(asked[i]!.user, asked[i]!.device)));
      const found = await Promise.all(db.stores.map((store) => store.users.byClaim(claimHash, 0)));
      expect(asked.map(({ device }) => device.id)).toContain(found[0]?.device);
      for (const one of found) expect(one).toEqual(found[0]);
    }
  });

  it('concurrent sign-ins with one claim at several stores: one device', async () => {
    for (const _ of upTo(6)) {
      const user = someone();
      await db.store.users.create(user, deviceOf(user.id));
      const claimHash = newId();
      const asked = db.stores.map(() => ({ ...deviceOf(user.id), claimHash }));
      const said = await Promise.all(
        db.stores.map((store, i) => store.users.addDevice(asked[i]!, 0, undefined)),
      );
      expect(said.toSorted()).toEqual(['added', 'claimed', 'claimed']);
      const made = asked[said.indexOf('added')]!;
      for (const store of db.stores) {
        expect((await store.users.byClaim(claimHash, 0))?.device).toBe(made.id);
        expect(await store.users.countDevices(user.id)).toBe(2);
      }
    }
  });

  it('a device that signs in at one store is known at every other; a removed one is known at none', async () => {
    const user = someone();
    const [first, second] = [deviceOf(user.id), deviceOf(user.id)];
    await db.stores[0].users.create(user, first);
    await db.stores[1].users.addDevice(second, 0, undefined);
    for (const store of db.stores) {
      expect((await store.users.byToken(second.tokenHash))?.device).toBe(second.id);
      expect(await store.users.countDevices(user.id)).toBe(2);
    }
    const removed = await Promise.all(
      db.stores.map((store) => store.users.removeDevice(user.id, first.id, 2_000)),
    );
    expect(removed.filter(Boolean)).toHaveLength(1);
    for (const store of db.stores) {
      expect(await store.users.byToken(first.tokenHash)).toBeUndefined();
      expect(await store.users.wasSignedOut(first.tokenHash)).toBe(true);
      expect(await store.users.devicesAlive([first.id, second.id])).toEqual(new Set([second.id]));
    }
  });

  it('fresh tokens at several stores concurrently: one of them is valid, and never the old one', async () => {
    const user = someone();
    const device = deviceOf(user.id);
    await db.store.users.create(user, device);
    const fresh = db.stores.map(() => newId());
    await Promise.all(db.stores.map((store, i) => store.users.replaceToken(device.id, fresh[i]!)));
    for (const store of db.stores) {
      const known = await Promise.all(
        [device.tokenHash, ...fresh].map((token) => store.users.byToken(token)),
      );
      expect(known.filter((one) => one !== undefined)).toHaveLength(1);
      expect(known[0]).toBeUndefined();
    }
  });

  it('a password that is set at one store is valid at every store', async () => {
    const user = someone();
    await db.stores[0].users.create(user, deviceOf(user.id));
    await db.stores[1].users.setPassword(user.id, 'h1', newId(), 2_000);
    for (const store of db.stores) expect((await store.users.byId(user.id))?.passwordHash).toBe('h1');
  });

  it('of concurrent calls at several stores one takes a pass', async () => {
    for (const _ of upTo(6)) {
      const pass = passOf();
      await db.store.users.addPass(pass, 1);
      const taken = await Promise.all(
        db.stores.map((store, i) => store.users.takePass(pass.hash, `claim ${i}`, 1_100)),
      );
      expect(taken.filter((one) => one !== undefined)).toHaveLength(1);
    }
  });
}
