import { expect, it } from 'vitest';
import type { OneTimePass } from '../../server/store/port.ts';
import { type Harness, inDatabase, newId } from './support.ts';

export function passCases(open: () => Promise<Harness>): void {
  const db = inDatabase(open);

  it('a pass is taken once, with its user, its device and its kind', async () => {
    const pass = passOf();
    expect(await db.store.users.addPass(pass, 1)).toBe(true);
    const taken = await db.store.users.takePass(pass.hash, 'claim', 1_001);
    expect(taken).toEqual({ user: pass.user, device: pass.device, kind: 'link' });
    expect(await db.store.users.takePass(pass.hash, 'another claim', 1_002)).toBeUndefined();
    expect(await db.store.users.takePass(newId(), 'claim', 1_002)).toBeUndefined();
  });

  it('a pass that was taken is given again to the same claim, also after reopening the store, until it expires', async () => {
    const pass = passOf();
    await db.store.users.addPass(pass, 1);
    await db.store.users.takePass(pass.hash, 'claim', 1_001);
    await db.harness.reopen();
    expect(await db.store.users.takePass(pass.hash, 'claim', 1_999)).toMatchObject({ user: pass.user });
    expect(await db.store.users.takePass(pass.hash, 'another claim', 1_999)).toBeUndefined();
    expect(await db.store.users.takePass(pass.hash, 'claim', 2_000)).toBeUndefined();
  });

  it('a pass expires', async () => {
    const pass = passOf();
    await db.store.users.addPass(pass, 1);
    expect(await db.store.users.takePass(pass.hash, 'claim', 2_000)).toBeUndefined();
    expect(await db.store.users.takePass(pass.hash, 'claim', 1_999)).toMatchObject({ user: pass.user });
  });

  it('what has expired is deleted when somebody makes a pass, and its hash is free again', async () => {
    const old = passOf({ expiresAt: 1_500 });
    await db.store.users.addPass(old, 1);
    await db.store.users.addPass(passOf({ createdAt: 1_500, expiresAt: 2_500 }), 1);
    expect(await db.store.users.takePass(old.hash, 'claim', 1_400)).toBeUndefined();
    expect(await db.store.users.addPass({ ...passOf(), hash: old.hash }, 1)).toBe(true);
  });

  it('of a user and kind only the newest stay', async () => {
    const user = newId();
    const links = [1_000, 1_001, 1_002].map((createdAt) => passOf({ user, createdAt }));
    const others = [passOf({ user, kind: 'code' }), passOf()];
    for (const pass of [...others, ...links]) expect(await db.store.users.addPass(pass, 2)).toBe(true);
    const taken = [...links, ...others].map(({ hash }) => db.store.users.takePass(hash, 'claim', 1_100));
    expect((await Promise.all(taken)).map((one) => one !== undefined)).toEqual([
      false,
      true,
      true,
      true,
      true,
    ]);
  });

  it('a hash belongs to one pass: a second one with it changes nothing', async () => {
    const first = passOf({ kind: 'code' });
    const mine = passOf({ kind: 'code' });
    await db.store.users.addPass(first, 1);
    await db.store.users.addPass(mine, 1);
    expect(await db.store.users.addPass({ ...mine, hash: first.hash }, 1)).toBe(false);
    expect(await db.store.users.takePass(first.hash, 'claim', 1_100)).toMatchObject({ user: first.user });
    expect(await db.store.users.takePass(mine.hash, 'claim', 1_100)).toMatchObject({ user: mine.user });
  });

  it('of concurrent calls with different claims one takes the pass', async () => {
    for (let n = 0; n < 5; n++) {
      const pass = passOf();
      await db.store.users.addPass(pass, 1);
      const taken = await Promise.all(
        Array.from({ length: 6 }, (_, i) => db.store.users.takePass(pass.hash, `claim ${i}`, 1_100)),
      );
      expect(taken.filter((one) => one !== undefined)).toHaveLength(1);
    }
  });
}

/** Made at 1,000, expires at 2,000. */
export function passOf(changes: Partial<OneTimePass> = {}): OneTimePass {
  const made = { hash: newId(), user: newId(), device: newId(), createdAt: 1_000, expiresAt: 2_000 };
  return { kind: 'link', ...made, ...changes };
}
