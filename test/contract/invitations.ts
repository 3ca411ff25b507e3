import { expect, it } from 'vitest';
import type { NewInvitation } from '../../server/store/port.ts';
import { type Harness, inDatabase, newId, upTo } from './support.ts';

export function invitationCases(open: () => Promise<Harness>): void {
  const db = inDatabase(open);

  it('an invitation is found by the hash of its token and of its code, until it was kept long enough', async () => {
    const made = invitationOf({ makesAccounts: true });
    expect(await db.store.invitations.add(made, 0)).toBe(true);
    expect(await db.store.invitations.add({ ...invitationOf(), codeHash: made.codeHash }, 0)).toBe(false);
    await db.harness.reopen();
    const record = { ...made, uses: 0, revokedAt: undefined };
    expect(await db.store.invitations.find(made.hash)).toEqual(record);
    expect(await db.store.invitations.find(made.codeHash)).toEqual(record);
    expect(await db.store.invitations.find(newId())).toBeUndefined();
    expect(await db.store.invitations.use(newId(), newId(), 1_500)).toBeUndefined();
    await db.store.invitations.use(made.hash, newId(), 1_500);
    await db.store.invitations.add(invitationOf(), 1_999);
    expect(await db.store.invitations.find(made.hash)).toEqual({ ...record, uses: 1 });
    await db.store.invitations.add(invitationOf({ expiresAt: 3_000 }), 2_000);
    expect(await db.store.invitations.find(made.hash)).toBeUndefined();
    expect(await db.store.invitations.add({ ...invitationOf(), codeHash: made.codeHash }, 0)).toBe(true);
  });

  it('each user uses an invitation once, and no more users than its maximum', async () => {
    const made = invitationOf({ maxUses: 2 });
    await db.store.invitations.add(made, 0);
    const [one, other, third] = [newId(), newId(), newId()];
    const use = (user: string) => db.store.invitations.use(made.hash, user, 1_500);
    expect([await use(one), await use(one), await use(other)]).toEqual(['used', 'before', 'used']);
    await db.harness.reopen();
    expect([await use(third), await use(one)]).toEqual(['used-up', 'before']);
    expect(await db.store.invitations.find(made.hash)).toMatchObject({ uses: 2 });
    await db.store.invitations.giveBack(made.hash, other);
    await db.store.invitations.giveBack(made.hash, other);
    await db.store.invitations.giveBack(made.hash, third);
    expect(await db.store.invitations.find(made.hash)).toMatchObject({ uses: 1 });
    expect([await use(third), await use(other)]).toEqual(['used', 'used-up']);
  });

  it('of concurrent users no more get in than the maximum, and each counts once', async () => {
    const made = invitationOf({ maxUses: 3 });
    await db.store.invitations.add(made, 0);
    const users = upTo(4).map(() => newId());
    const said = await Promise.all(
      [...users, ...users].map((user) => db.store.invitations.use(made.hash, user, 1_500)),
    );
    expect(said.filter((one) => one === 'used')).toHaveLength(3);
    expect(said.filter((one) => one === 'before')).toHaveLength(3);
    expect(said.filter((one) => one === 'used-up')).toHaveLength(2);
  });

  it('what has expired or was revoked is used by nobody, and is not listed', async () => {
    const { invitations } = db.store;
    const [room, maker] = [newId(), newId()];
    const made = upTo(4).map((n) => invitationOf({ room, createdBy: maker, createdAt: 1_000 + n }));
    const elsewhere = invitationOf({ createdBy: maker, createdAt: 2_000, expiresAt: 9_000 });
    const others = invitationOf({ room, createdBy: newId(), createdAt: 1_009 });
    for (const one of [...made.toReversed(), elsewhere, others]) await invitations.add(one, 0);
    const early = newId();
    expect(await invitations.use(made[0]!.hash, early, 1_999)).toBe('used');
    expect(await invitations.use(made[0]!.hash, newId(), 2_000)).toBe('expired');
    expect(await invitations.use(made[0]!.hash, early, 2_000)).toBe('expired');
    await invitations.revoke(made[1]!.hash, 1_500);
    await invitations.revoke(made[1]!.hash, 1_600);
    await invitations.revoke(newId(), 1_500);
    expect(await invitations.find(made[1]!.hash)).toMatchObject({ revokedAt: 1_500 });
    expect(await invitations.use(made[1]!.hash, early, 1_700)).toBe('revoked');
    const hashes = async (at: number) => (await invitations.ofRoom(room, at)).map(({ hash }) => hash);
    expect(await hashes(1_700)).toEqual([made[0], made[2], made[3], others].map((one) => one!.hash));
    expect(await hashes(2_000)).toEqual([]);
    await invitations.revokeOf(maker, room, 1_800);
    expect(await hashes(1_900)).toEqual([others.hash]);
    const all = async (at: number) => (await invitations.all(at)).map(({ hash }) => hash);
    expect(await all(1_900)).toEqual(expect.arrayContaining([others.hash, elsewhere.hash]));
    expect(await all(2_000)).not.toContain(others.hash);
    await invitations.revokeOf(maker, undefined, 2_000);
    expect(await all(2_100)).not.toContain(elsewhere.hash);
  });
}

/** Made at 1,000, expires at 2,000, for five users. */
function invitationOf(changes: Partial<NewInvitation> = {}): NewInvitation {
  return {
    hash: newId(),
    codeHash: newId(),
    room: newId(),
    createdBy: newId(),
    createdAt: 1_000,
    expiresAt: 2_000,
    maxUses: 5,
    makesAccounts: false,
    ...changes,
  };
}
