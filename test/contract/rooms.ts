import { expect, it, onTestFinished } from 'vitest';
import { Unavailable } from '../../server/store/port.ts';
import { directRoomOf } from '../../shared/directPair.ts';
import { LOBBY } from '../../shared/mint.ts';
import { append, appendNew, type Harness, inDatabase, join, leave, newId, newRoom, text } from './support.ts';

export function roomCases(open: () => Promise<Harness>): void {
  const db = inDatabase(open);

  it('the lobby exists from the start, without a creator', async () => {
    const lobby = await db.store.rooms.byId(LOBBY);
    expect(lobby).toMatchObject({
      id: LOBBY,
      kind: 'public',
      name: 'Lobby',
      createdBy: '',
      head: 0,
      members: 0,
    });
    expect(lobby?.createdAt).toBeTypeOf('number');
  });

  it('the epoch stays the same over reopening, and differs between databases', async () => {
    const { epoch } = db.store;
    expect(epoch).toMatch(/^[\w-]{22}$/);
    await db.harness.reopen();
    expect(db.store.epoch).toBe(epoch);
    const other = await open();
    onTestFinished(() => other.destroy());
    expect(other.store.epoch).not.toBe(epoch);
  });

  // `npm run restore` gives a new epoch. A file that was restored by hand keeps the old one: the time at a cursor shows it.
  it('a cursor of a restored database has another time at its serverOffset, or none', async () => {
    const other = await open();
    onTestFinished(() => other.destroy());
    const [id, me] = [newId(), newId()];
    const room = { id, kind: 'public' as const, name: 'Deck', createdBy: me, createdAt: 1 };
    for (const store of [db.store, other.store]) await store.rooms.create(room);
    await append(db.store, [text(id, me, 'a'), text(id, me, 'b')], 11);
    await append(other.store, [text(id, me, 'c')], 22);
    const cursors = [1, 2].map((serverOffset) => ({ room: id, serverOffset }));
    expect(await db.store.log.timesAt(cursors)).toEqual([11, 11]);
    expect(await other.store.log.timesAt(cursors)).toEqual([22, undefined]);
  });

  it('creates a room once: a second call returns the existing one', async () => {
    const room = { id: newId(), kind: 'private' as const, name: 'Galley', createdBy: newId(), createdAt: 3 };
    expect(await db.store.rooms.create(room)).toEqual({ ...room, head: 0, members: 0 });
    await appendNew(db.store, [join(room.id, room.createdBy)]);
    const again = await db.store.rooms.create({ ...room, name: 'Other', createdBy: newId(), createdAt: 4 });
    expect(again).toEqual({ ...room, head: 1, members: 1 });
    expect(await db.store.rooms.byId(room.id)).toEqual(again);
    expect(await db.store.rooms.byId(newId())).toBeUndefined();
  });

  it('members follow joins and leaves; a second join or leave changes nothing', async () => {
    const [room, me, you] = [await newRoom(db.store), newId(), newId()];
    const state = async () => ({
      members: (await db.store.rooms.byId(room))?.members,
      me: await db.store.rooms.isMember(room, me),
      you: await db.store.rooms.isMember(room, you),
    });
    expect(await state()).toEqual({ members: 0, me: false, you: false });
    await appendNew(db.store, [join(room, me), join(room, you), join(room, me)]);
    expect(await state()).toEqual({ members: 2, me: true, you: true });
    await appendNew(db.store, [leave(room, you), leave(room, you)]);
    expect(await state()).toEqual({ members: 1, me: true, you: false });
    await appendNew(db.store, [leave(room, me), join(room, you), join(room, me)]);
    expect(await state()).toEqual({ members: 2, me: true, you: true });
    await db.harness.reopen();
    expect(await state()).toEqual({ members: 2, me: true, you: true });
  });

  it('lists the rooms of a user, with head and read marker', async () => {
    const [a, b, left, me] = [
      await newRoom(db.store),
      await newRoom(db.store),
      await newRoom(db.store),
      newId(),
    ];
    await appendNew(db.store, [join(a, me), join(b, me), join(left, me), leave(left, me), text(b, me, 'x')]);
    await db.store.rooms.mark([
      { room: b, user: me, upTo: 2 },
      { room: b, user: newId(), upTo: 1 },
    ]);
    const mine = await db.store.rooms.ofUser(me);
    expect(new Map(mine.map(({ room, readUpTo }) => [room.id, [room.head, room.members, readUpTo]]))).toEqual(
      new Map([
        [a, [1, 1, 1]],
        [b, [2, 1, 2]],
      ]),
    );
    expect(await db.store.rooms.ofUser(newId())).toEqual([]);
  });

  it('lists the rooms of many users at once, and leaves out users without rooms', async () => {
    const [a, b] = [await newRoom(db.store), await newRoom(db.store)];
    const [both, one, gone, nobody] = [newId(), newId(), newId(), newId()];
    await appendNew(db.store, [join(a, both), join(b, both), join(b, one), join(a, gone), leave(a, gone)]);
    const told = await db.store.rooms.ofUsers([one, nobody, both, gone]);
    expect(new Map([...told].map(([user, rooms]) => [user, rooms.toSorted()]))).toEqual(
      new Map([
        [both, [a, b].toSorted()],
        [one, [b]],
      ]),
    );
    expect(await db.store.rooms.ofUsers([])).toEqual(new Map());
  });

  it('counts the rooms that a user is a member of', async () => {
    const [a, b, me] = [await newRoom(db.store), await newRoom(db.store, 'private'), newId()];
    expect(await db.store.rooms.countOf(me)).toBe(0);
    await appendNew(db.store, [join(a, me), join(b, me), join(b, newId()), text(a, me, 'x')]);
    expect(await db.store.rooms.countOf(me)).toBe(2);
    await appendNew(db.store, [leave(a, me)]);
    expect(await db.store.rooms.countOf(me)).toBe(1);
  });

  it('counts the rooms that a user has created since a time', async () => {
    const me = newId();
    for (const [createdAt, createdBy] of [
      [10, me],
      [20, me],
      [30, me],
      [30, newId()],
    ] as const)
      await db.store.rooms.create({ id: newId(), kind: 'public', name: 'Deck', createdBy, createdAt });
    const counts = [0, 20, 21, 31].map((since) => db.store.rooms.countCreated(me, since));
    expect(await Promise.all(counts)).toEqual([3, 2, 1, 0]);
  });

  it('a direct conversation has its two people as members from its beginning on, and begins once', async () => {
    const [me, you, other] = [newId(), newId(), newId()];
    const id = directRoomOf(me, you);
    await db.store.rooms.begin({ id, createdBy: me, createdAt: 3 });
    await db.store.rooms.begin({ id, createdBy: you, createdAt: 4 });
    const room = { id, kind: 'direct', name: '', createdBy: me, createdAt: 3, head: 0, members: 2 };
    expect(await db.store.rooms.byId(id)).toEqual(room);
    for (const user of [me, you]) {
      expect(await db.store.rooms.isMember(id, user)).toBe(true);
      expect(await db.store.rooms.ofUser(user)).toEqual([{ room, readUpTo: 0 }]);
    }
    expect(await db.store.rooms.isMember(id, other)).toBe(false);
    expect(await db.store.rooms.ofUsers([me, other, you])).toEqual(
      new Map([
        [me, [id]],
        [you, [id]],
      ]),
    );
    expect(await db.store.rooms.members(id, '', 9)).toEqual([me, you].toSorted());
    await appendNew(db.store, [text(id, me, 'hello')]);
    await db.store.rooms.begin({ id, createdBy: you, createdAt: 5 });
    expect(await db.store.rooms.byId(id)).toEqual({ ...room, head: 1 });
    expect(await db.store.log.unread(id, you, 0, 9)).toBe(1);
  });

  it('a notebook has one member', async () => {
    const me = newId();
    const id = directRoomOf(me, me);
    await db.store.rooms.begin({ id, createdBy: me, createdAt: 3 });
    expect(await db.store.rooms.byId(id)).toMatchObject({ kind: 'direct', members: 1 });
    expect(await db.store.rooms.members(id, '', 9)).toEqual([me]);
  });

  it('direct conversations are counted apart from rooms, since a time, for whoever began them', async () => {
    const [room, me, you] = [newId(), newId(), newId()];
    await db.store.rooms.create({ id: room, kind: 'public', name: 'Deck', createdBy: me, createdAt: 20 });
    await appendNew(db.store, [join(room, me)]);
    for (const [createdAt, createdBy, other] of [
      [10, me, newId()],
      [20, me, newId()],
      [20, you, me],
    ] as const)
      await db.store.rooms.begin({ id: directRoomOf(createdBy, other), createdBy, createdAt });
    const counts = [0, 20, 21].map((since) => db.store.rooms.countBegun(me, since));
    expect(await Promise.all(counts)).toEqual([2, 1, 0]);
    expect(await db.store.rooms.countCreated(me, 0)).toBe(1);
    expect(await db.store.rooms.countOf(me)).toBe(1);
  });

  it('lists the leaves of a room beyond an offset, with their times: of nobody else, and no joins', async () => {
    const [room, other, me, you] = [await newRoom(db.store), await newRoom(db.store), newId(), newId()];
    await appendNew(db.store, [join(room, me), leave(room, me), join(room, me), text(room, me, 'x')], 10);
    await appendNew(db.store, [join(room, you), leave(room, you), leave(room, me), join(other, me)], 20);
    await appendNew(db.store, [leave(other, me), { ...leave(room, me), subject: you }], 30);
    const all = [
      { user: me, at: 10 },
      { user: you, at: 20 },
      { user: me, at: 20 },
      { user: you, at: 30 },
    ];
    expect(await db.store.rooms.leaves(room, 0)).toEqual(all);
    expect(await db.store.rooms.leaves(room, 6)).toEqual(all.slice(2));
    expect(await db.store.rooms.leaves(room, 8)).toEqual([]);
  });

  it('read markers only rise', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    const [other, another, unread] = [newId(), await newRoom(db.store), await newRoom(db.store)];
    const raise = async (upTo: number) => {
      await db.store.rooms.mark([{ room, user: me, upTo }]);
      return (await db.store.rooms.readUpTo(me, [room]))[0];
    };
    expect(await db.store.rooms.readUpTo(me, [room])).toEqual([0]);
    expect([await raise(5), await raise(3), await raise(8)]).toEqual([5, 5, 8]);
    expect(await db.store.rooms.readUpTo(other, [room])).toEqual([0]);
    await db.store.rooms.mark([
      { room, user: other, upTo: 1 },
      { room, user: me, upTo: 2 },
      { room: another, user: me, upTo: 9 },
    ]);
    expect(await db.store.rooms.readUpTo(other, [room])).toEqual([1]);
    expect(await db.store.rooms.readUpTo(me, [room])).toEqual([8]);
    expect(await db.store.rooms.readUpTo(me, [another, unread, room])).toEqual([9, 0, 8]);
    expect(await db.store.rooms.readUpTo(me, [])).toEqual([]);
    await db.store.rooms.mark([]);
  });

  it('the read marker of a member begins at the entry by which they joined, each time', async () => {
    const [room, me, you] = [await newRoom(db.store), newId(), newId()];
    const markers = async () => [
      ...(await db.store.rooms.readUpTo(me, [room])),
      ...(await db.store.rooms.ofUser(me)).map(({ readUpTo }) => readUpTo),
    ];
    await appendNew(db.store, [join(room, you), text(room, you, 'before'), join(room, me)]);
    expect(await markers()).toEqual([3, 3]);
    await db.store.rooms.mark([{ room, user: me, upTo: 2 }]);
    expect(await markers()).toEqual([3, 3]);
    await appendNew(db.store, [text(room, you, 'news')]);
    await db.store.rooms.mark([{ room, user: me, upTo: 4 }]);
    expect(await markers()).toEqual([4, 4]);
    await appendNew(db.store, [leave(room, me), text(room, you, 'meanwhile')]);
    expect(await markers()).toEqual([4]);
    await appendNew(db.store, [join(room, me)]);
    expect(await markers()).toEqual([7, 7]);
    expect(await db.store.rooms.readUpTo(you, [room])).toEqual([1]);
  });

  it('the readers of a room are its members, each with their read marker, up to a limit', async () => {
    const [room, another] = [await newRoom(db.store), await newRoom(db.store)];
    const [me, you, gone] = [newId(), newId(), newId()];
    const readers = async (limit = 10) =>
      (await db.store.rooms.readers(room, limit)).map(({ user, upTo }) => [user, upTo]).toSorted();
    expect(await readers()).toEqual([]);
    await appendNew(db.store, [
      join(room, me),
      join(room, gone),
      text(room, me, 'one'),
      join(room, you),
      leave(room, gone),
      join(another, you),
    ]);
    await db.store.rooms.mark([
      { room, user: me, upTo: 3 },
      { room, user: you, upTo: 2 },
      { room, user: gone, upTo: 5 },
      { room: another, user: you, upTo: 9 },
    ]);
    expect(await readers()).toEqual(
      [
        [me, 3],
        [you, 4],
      ].toSorted(),
    );
    expect(await readers(1)).toHaveLength(1);
    await appendNew(db.store, [join(room, gone)]);
    expect(await readers()).toContainEqual([gone, 6]);
  });

  it('closing finishes the calls under way; afterwards everything is unavailable', async () => {
    const other = await open();
    onTestFinished(() => other.destroy());
    const { store } = other;
    await store.ping();
    const [room, me] = [await newRoom(store), newId()];
    const taken = Array.from({ length: 10 }, (_, n) => append(store, [text(room, me, `${n}`)]));
    await store.close();
    expect((await Promise.all(taken)).flat().map((result) => result.tag)).toEqual(Array(10).fill('appended'));
    const { results, stopped } = await store.log.append([text(room, me, 'late')], 1);
    expect(results).toEqual([]);
    expect(stopped).toBeInstanceOf(Unavailable);
    await expect(store.ping()).rejects.toBeInstanceOf(Unavailable);
    await expect(store.rooms.byId(room)).rejects.toBeInstanceOf(Unavailable);
  });
}
