import { expect, it } from 'vitest';
import { appendNew, type Harness, inDatabase, join, leave, newId, newRoom } from './support.ts';

export function presenceCases(open: () => Promise<Harness>): void {
  const db = inDatabase(open);

  it('when somebody was here last only rises, also in concurrent calls', async () => {
    const { presence } = db.store;
    const [one, other, unknown] = [newId(), newId(), newId()];
    await presence.seen([
      { user: one, at: 1_005 },
      { user: other, at: 1_000 },
    ]);
    await presence.seen([{ user: one, at: 1_001 }]);
    await Promise.all(
      [1_002, 1_009, 1_004].map((at) => presence.seen([one, other].map((user) => ({ user, at })))),
    );
    await presence.seen([]);
    await db.harness.reopen();
    expect(await db.store.presence.of([one, other, unknown])).toEqual(
      new Map([one, other].map((user) => [user, { hides: false, seenAt: 1_009 }])),
    );
  });

  it('people who were never seen before are seen by two at the same moment', async () => {
    const users = Array.from({ length: 20 }, newId);
    await Promise.all(
      [2_001, 2_002].map((at) => db.store.presence.seen(users.map((user) => ({ user, at })))),
    );
    const found = await db.store.presence.of(users);
    expect([...found.values()].map(({ seenAt }) => seenAt)).toEqual(users.map(() => 2_002));
  });

  it('of those who hide it no time is stored, until they show it again', async () => {
    const { presence } = db.store;
    const [one, other] = [newId(), newId()];
    await presence.hide(one, true);
    await presence.seen([
      { user: one, at: 1_000 },
      { user: other, at: 1_000 },
    ]);
    await presence.hide(other, true);
    await presence.seen([{ user: other, at: 2_000 }]);
    await db.harness.reopen();
    const { presence: again } = db.store;
    expect(await again.of([one, other])).toEqual(
      new Map([
        [one, { hides: true, seenAt: undefined }],
        [other, { hides: true, seenAt: 1_000 }],
      ]),
    );
    await again.hide(one, false);
    await again.seen([{ user: one, at: 3_000 }]);
    expect((await again.of([one])).get(one)).toEqual({ hides: false, seenAt: 3_000 });
  });

  it('who hides what they have read does so by itself, until they show it again', async () => {
    const { presence } = db.store;
    const [one, other] = [newId(), newId()];
    await presence.hideReads(one, true);
    await presence.hide(other, true);
    await presence.hideReads(other, true);
    await presence.seen([{ user: one, at: 1_000 }]);
    await db.harness.reopen();
    const again = db.store.presence;
    expect(await again.of([one, other])).toEqual(
      new Map([
        [one, { hides: false, hidesReads: true, seenAt: 1_000 }],
        [other, { hides: true, hidesReads: true, seenAt: undefined }],
      ]),
    );
    await again.hideReads(other, false);
    expect((await again.of([other])).get(other)).toEqual({ hides: true, seenAt: undefined });
  });

  it('of what a device has stored of a room, the last range is kept, which grows by those that touch it', async () => {
    const { rooms } = db.store;
    const [user, other, room, another] = [newId(), newId(), newId(), newId()];
    const of = async () => (await db.store.rooms.reached(room, [user])).get(user);
    const reach = (from: number, to: number) => db.store.rooms.reach(user, [{ room, from, to }]);
    expect(await rooms.reached(room, [user])).toEqual(new Map());
    await rooms.reach(user, [
      { room, from: 5, to: 8 },
      { room: another, from: 1, to: 2 },
    ]);
    await rooms.reach(other, [{ room, from: 2, to: 3 }]);
    await db.harness.reopen();
    expect(await db.store.rooms.reached(room, [user, newId()])).toEqual(
      new Map([[user, { from: 5, to: 8 }]]),
    );
    for (const [from, to, kept] of [
      [9, 10, { from: 5, to: 10 }], // behind it
      [7, 9, { from: 5, to: 10 }], // within it
      [3, 4, { from: 3, to: 10 }], // before it
      [1, 1, { from: 3, to: 10 }], // an older one that does not touch
      [12, 14, { from: 12, to: 14 }], // a newer one that does not touch
      [2, 13, { from: 2, to: 14 }], // around
    ] as const) {
      await reach(from, to);
      expect(await of()).toEqual(kept);
    }
    expect((await db.store.rooms.reached(another, [user])).get(user)).toEqual({ from: 1, to: 2 });
  });

  it('ranges that two devices store at the same moment are joined', async () => {
    const { rooms } = db.store;
    const [user, room] = [newId(), newId()];
    await Promise.all([1, 2, 3, 4].map((n) => rooms.reach(user, [{ room, from: n, to: n + 4 }])));
    expect((await rooms.reached(room, [user])).get(user)).toEqual({ from: 1, to: 8 });
  });

  it('the members of a room are listed by pages, each once', async () => {
    const [room, another] = [await newRoom(db.store), await newRoom(db.store)];
    const users = Array.from({ length: 7 }, newId).sort();
    const gone = newId();
    await appendNew(db.store, [
      ...users.toReversed().map((user) => join(room, user)),
      join(room, gone),
      leave(room, gone),
      join(another, newId()),
    ]);
    const { members } = db.store.rooms;
    expect(await members(room, '', 3)).toEqual(users.slice(0, 3));
    expect(await members(room, users[2]!, 3)).toEqual(users.slice(3, 6));
    expect(await members(room, users[5]!, 3)).toEqual(users.slice(6));
    expect(await members(room, users[6]!, 3)).toEqual([]);
  });
}
