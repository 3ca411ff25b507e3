import { expect, it } from 'vitest';
import { about, giveRole } from '../roles.ts';
import { append, appendNew, join, newId, newRoom, type SharedHarness, upTo } from '../support.ts';
import { inSharedDatabase } from './stores.ts';

export function sharedRoleCases(open: () => Promise<SharedHarness>): void {
  const db = inSharedDatabase(open);

  it('of changes at several stores that were decided on the same roles, one holds, and every store knows it', async () => {
    const [me, you] = [newId(), newId()];
    const room = await newRoom(db.store);
    await appendNew(db.store, [join(room, me), join(room, you)]);
    for (const n of upTo(6)) {
      const results = await Promise.all(
        db.stores.map((store, i) => {
          const role = (['owner', 'moderator', 'member'] as const)[i % 3]!;
          return append(store, [giveRole(room, me, you, role, n)]);
        }),
      );
      const tags = results.flat().map(({ tag }) => tag);
      expect(tags.toSorted()).toEqual(['appended', 'outdated', 'outdated']);
      const role = (['owner', 'moderator', 'member'] as const)[tags.indexOf('appended')]!;
      for (const store of db.stores)
        expect(await store.rooms.roles(room, [])).toMatchObject({
          roleSeq: n,
          holders: role === 'member' ? [] : [{ user: you, role }],
        });
    }
  });

  it('a change whose process died right after the commit counts for whoever decides next', async () => {
    const [me, you] = [newId(), newId()];
    const room = await newRoom(db.store);
    await appendNew(db.store, [join(room, me), join(room, you)]);
    await db.harness.interrupted(giveRole(room, me, you, 'moderator', 1, { authorRole: 'owner' }), 5);
    for (const store of db.stores)
      expect(await store.rooms.roles(room, [])).toMatchObject({
        roleSeq: 1,
        holders: [
          { user: me, role: 'owner' },
          { user: you, role: 'moderator' },
        ],
      });
    await db.harness.interrupted(about(room, me, you, 'ban', 2), 6);
    expect(await db.stores[1].rooms.roles(room, [you])).toMatchObject({ members: [], banned: [you] });
    expect(await db.stores[2].rooms.isMember(room, you)).toBe(false);
  });

  it('a ban that is applied after a later join ends the membership all the same', async () => {
    const [room, me, you] = [await newRoom(db.store), newId(), newId()];
    await db.harness.interrupted(about(room, me, you, 'ban', 1), 5);
    await appendNew(db.stores[1], [join(room, you)]);
    expect(await db.stores[2].rooms.roles(room, [you])).toMatchObject({ members: [], banned: [you] });
    for (const store of db.stores) expect(await store.rooms.isMember(room, you)).toBe(false);
  });

  it('a join at one store and a ban at another at the same moment: the user is out', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    for (const n of upTo(6)) {
      const you = newId();
      const calls = [
        () => appendNew(db.stores[1], [join(room, you)]),
        () => appendNew(db.stores[2], [about(room, me, you, 'ban', n)]),
      ];
      await Promise.all((n % 2 === 0 ? calls : calls.toReversed()).map((call) => call()));
      for (const store of db.stores) expect(await store.rooms.isMember(room, you)).toBe(false);
      expect((await db.store.rooms.byId(room))?.members).toBe(0);
    }
  });
}
