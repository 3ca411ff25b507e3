import { expect, it } from 'vitest';
import { appendNew, type Harness, inDatabase, join, leave, newId, newRoom } from './support.ts';

export function settingsCases(open: () => Promise<Harness>): void {
  const db = inDatabase(open);

  it('of each setting of a room the newest choice holds, whichever comes last', async () => {
    const [room, user] = [await newRoom(db.store), newId()];
    const { choose } = db.store.rooms;
    expect(await db.store.rooms.chosen(room, user)).toBeUndefined();
    expect(await choose(room, user, { muted: true, hidden: 7 }, 2_000)).toEqual({
      muted: true,
      hidden: 7,
      rev: 1,
    });
    expect(await choose(room, user, { muted: false, pinned: true }, 1_999)).toEqual({
      muted: true,
      hidden: 7,
      pinned: true,
      rev: 2,
    });
    expect(await choose(room, user, { muted: false, hidden: null }, 2_000)).toEqual({
      muted: false,
      hidden: null,
      pinned: true,
      rev: 3,
    });
    expect(await choose(room, user, { muted: true }, 1_000)).toMatchObject({ muted: false, rev: 3 }); // nothing changed
    await db.harness.reopen();
    expect(await db.store.rooms.chosen(room, user)).toEqual({
      muted: false,
      hidden: null,
      pinned: true,
      rev: 3,
    });
  });

  it('since when a user has blocked the other one is the time of that choice, until it is lifted', async () => {
    const [room, user] = [await newRoom(db.store), newId()];
    const { choose, blockedSince } = db.store.rooms;
    expect(await blockedSince(room, user)).toBeUndefined();
    await choose(room, user, { muted: true }, 1_000);
    expect(await blockedSince(room, user)).toBeUndefined();
    await choose(room, user, { blocked: true }, 2_000);
    await choose(room, user, { muted: false }, 3_000);
    await db.harness.reopen();
    expect(await db.store.rooms.blockedSince(room, user)).toBe(2_000);
    expect(await db.store.rooms.blockedSince(room, newId())).toBeUndefined();
    await db.store.rooms.choose(room, user, { blocked: false }, 4_000);
    expect(await db.store.rooms.blockedSince(room, user)).toBeUndefined();
  });

  it('concurrent choices of settings are all kept', async () => {
    const [room, user] = [await newRoom(db.store), newId()];
    const choices = [{ muted: true }, { pinned: true }, { unread: true }, { hidden: 3 }];
    await Promise.all(choices.map((choice, i) => db.store.rooms.choose(room, user, choice, 1_000 + i)));
    expect(await db.store.rooms.chosen(room, user)).toEqual({
      muted: true,
      pinned: true,
      unread: true,
      hidden: 3,
      rev: 4,
    });
  });

  it('settings are of one user and one room, are listed with the rooms, and stay when the user leaves', async () => {
    const [room, another] = [await newRoom(db.store), await newRoom(db.store)];
    const [user, other] = [newId(), newId()];
    await appendNew(db.store, [join(room, user), join(another, user), join(room, other)]);
    const { rooms } = db.store;
    await rooms.choose(room, user, { muted: true, unread: true }, 1_000);
    await rooms.mark([{ room, user, upTo: 2 }]);
    const ofUser = async (of: string) =>
      new Map((await rooms.ofUser(of)).map((one) => [one.room.id, one.settings]));
    expect((await ofUser(user)).get(room)).toEqual({ muted: true, unread: true, rev: 1 });
    expect((await ofUser(user)).get(another)).toBeUndefined();
    expect((await ofUser(other)).get(room)).toBeUndefined();
    await appendNew(db.store, [leave(room, user)]);
    expect((await ofUser(user)).has(room)).toBe(false);
    await appendNew(db.store, [join(room, user)]);
    expect((await ofUser(user)).get(room)).toEqual({ muted: true, unread: true, rev: 1 });
  });
}
