import { expect, it } from 'vitest';
import type { Store } from '../../../server/store/port.ts';
import { directRoomOf } from '../../../shared/directPair.ts';
import { ROOM_ACTIVITY_EVERY_MS } from '../../../shared/limits.ts';
import { LOBBY } from '../../../shared/mint.ts';
import { waitFor } from '../../support/waitFor.ts';
import { creation, expectOneCreator } from '../creation.ts';
import {
  append,
  appendNew,
  HEARD_WITHIN_MS,
  join,
  leave,
  newId,
  newRoom,
  type SharedHarness,
  text,
  upTo,
} from '../support.ts';
import { inSharedDatabase } from './stores.ts';

/** Beyond the times of all other cases. */
const LATER = 50_000_000_000_000;

export function sharedRoomCases(open: () => Promise<SharedHarness>): void {
  const db = inSharedDatabase(open);

  it('the epoch is the same at every store, and after one of them was reopened', async () => {
    const { epoch } = db.store;
    for (const store of db.stores) expect(store.epoch).toBe(epoch);
    await db.harness.reopen();
    for (const store of db.stores) expect(store.epoch).toBe(epoch);
  });

  it('of many that make one room at several stores at once, one makes it', async () => {
    const [first, ...rest] = upTo(6).map((n) => creation({ name: `Room ${n}` }));
    const asked = [first!, ...rest.map((one) => ({ ...one, room: first!.room }))];
    const results = await Promise.all(asked.map((one, n) => append(db.stores[n % 3]!, [one])));
    for (const store of db.stores) await expectOneCreator(store, asked, results.flat());
  });

  it('many stores open an empty database concurrently: there is one epoch and one lobby', async () => {
    const other = await open();
    try {
      const stores = [other.store, ...(await Promise.all(upTo(4).map(() => other.another())))];
      expect(new Set(stores.map((store) => store.epoch)).size).toBe(1);
      const lobbies = await Promise.all(stores.map((store) => store.rooms.byId(LOBBY)));
      for (const lobby of lobbies) expect(lobby).toEqual(lobbies[0]);
      const listed = await other.store.rooms.listPublic(undefined, 10);
      expect(listed.map((room) => room.id)).toEqual([LOBBY]);
    } finally {
      await other.destroy();
    }
  });

  it('the activity of a room at one store moves it up in the list of every other', async () => {
    const rooms: string[] = [];
    for (const at of [LATER, LATER + 1, LATER + 2]) {
      const room = { id: newId(), kind: 'public' as const, name: 'Deck', createdBy: newId(), createdAt: at };
      rooms.push((await db.stores[1].rooms.create(room)).id);
    }
    const [quiet, active, last] = rooms as [string, string, string];
    const order = async (store: Store) => (await store.rooms.listPublic(undefined, 3)).map(({ id }) => id);
    for (const store of db.stores) expect(await order(store)).toEqual([last, active, quiet]);
    await appendNew(db.stores[2], [text(active, newId(), 'x')], LATER + 2 * ROOM_ACTIVITY_EVERY_MS);
    for (const store of db.stores)
      await waitFor('first', async () => (await order(store))[0] === active, HEARD_WITHIN_MS);
    expect(await order(db.store)).toEqual([active, last, quiet]);
  });

  it('a direct conversation that is begun at every store at once is one, with both people', async () => {
    const [me, you] = [newId(), newId()];
    const id = directRoomOf(me, you);
    await Promise.all(
      db.stores.map(async (store, i) => {
        await store.rooms.begin({ id, createdBy: i === 0 ? me : you, createdAt: 5 });
        await appendNew(store, [text(id, i === 0 ? me : you, `from ${i}`)]);
      }),
    );
    for (const { rooms } of db.stores) {
      const { createdBy } = (await rooms.byId(id))!;
      expect(await rooms.byId(id)).toMatchObject({ kind: 'direct', head: db.stores.length, members: 2 });
      expect((await rooms.countBegun(me, 5)) + (await rooms.countBegun(you, 5))).toBe(1);
      expect(await rooms.countBegun(createdBy, 5)).toBe(1);
      expect(await rooms.members(id, '', 9)).toEqual([me, you].toSorted());
    }
  });

  it('every store counts what any of them wrote: rooms of a creator, memberships, leaves', async () => {
    const [me, you] = [newId(), newId()];
    const rooms: string[] = [];
    for (const store of db.stores) {
      const room = { id: newId(), kind: 'public' as const, name: 'Deck', createdBy: me, createdAt: 5 };
      rooms.push((await store.rooms.create(room)).id);
      await appendNew(store, [join(room.id, me), join(rooms[0]!, you), leave(rooms[0]!, you)], 9);
    }
    for (const { rooms: store } of db.stores) {
      expect(await store.countCreated(me, 5)).toBe(db.stores.length);
      expect(await store.countOf(me)).toBe(db.stores.length);
      expect(await store.leaves(rooms[0]!, 0)).toEqual(db.stores.map(() => ({ user: you, at: 9 })));
    }
  });

  it('one store reopens while the others write: nothing is lost, and numbering continues', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    await appendNew(db.store, [text(room, me, 'first')]);
    const writing = upTo(6).map((n) => appendNew(db.stores[1 + (n % 2)]!, [text(room, me, `${n}`)]));
    await db.harness.reopen();
    const [mine] = await appendNew(db.store, [text(room, me, 'again')]);
    const offsets = [1, mine!, ...(await Promise.all(writing)).flat()];
    expect(offsets.toSorted((x, y) => x - y)).toEqual(upTo(8));
  });

  it('a room that is created at two stores concurrently is one room, with the values of one of the two', async () => {
    for (const n of upTo(8)) {
      const id = newId();
      const asked = db.stores.map((_, i) => ({
        id,
        kind: 'private' as const,
        name: `Galley ${n}.${i}`,
        createdBy: newId(),
        createdAt: i,
      }));
      const made = await Promise.all(db.stores.map((store, i) => store.rooms.create(asked[i]!)));
      expect(asked.map((room) => ({ ...room, head: 0, members: 0 }))).toContainEqual(made[0]);
      for (const room of made) expect(room).toEqual(made[0]);
      for (const store of db.stores) expect(await store.rooms.byId(id)).toEqual(made[0]);
    }
  });

  it('a join or leave at one store is known at every other', async () => {
    const [room, me, you] = [await newRoom(db.store), newId(), newId()];
    const state = () =>
      Promise.all(
        db.stores.map(async (store) => [
          (await store.rooms.byId(room))?.members,
          await store.rooms.isMember(room, me),
          await store.rooms.isMember(room, you),
          (await store.rooms.ofUser(me)).length,
        ]),
      );
    await appendNew(db.stores[0], [join(room, me)]);
    expect(await state()).toEqual(Array(3).fill([1, true, false, 1]));
    await appendNew(db.stores[1], [join(room, you)]);
    expect(await state()).toEqual(Array(3).fill([2, true, true, 1]));
    await appendNew(db.stores[2], [leave(room, me)]);
    expect(await state()).toEqual(Array(3).fill([1, false, true, 0]));
  });

  it('joins and leaves at several stores concurrently: members and their count follow the log', async () => {
    const [room, people] = [await newRoom(db.store), upTo(3).map(() => newId())];
    for (const round of upTo(6)) {
      const moves = upTo(9).map((n) => {
        const person = people[n % 3]!;
        return (n + round) % 2 === 0 ? join(room, person) : leave(room, person);
      });
      await Promise.all(moves.map((move, n) => appendNew(db.stores[n % 3]!, [move])));
      const { entries } = await db.store.log.range(room, 1, 1_000, 1_000_000);
      const present = people.map(
        (person) => entries.findLast((entry) => entry.author === person)?.kind === 'join',
      );
      for (const store of db.stores) {
        expect(await Promise.all(people.map((person) => store.rooms.isMember(room, person)))).toEqual(
          present,
        );
        expect((await store.rooms.byId(room))?.members).toBe(present.filter(Boolean).length);
      }
    }
  });

  it('every store raises the same read marker', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    await appendNew(db.store, [join(room, me)]);
    const marks = await Promise.all(
      [3, 9, 5, 1, 7, 2].map(async (upTo, n) => {
        const { rooms } = db.stores[n % 3]!;
        await rooms.mark([{ room, user: me, upTo }]);
        return [upTo, (await rooms.readUpTo(me, [room]))[0]];
      }),
    );
    for (const [asked, holds] of marks) expect(holds).toBeGreaterThanOrEqual(asked!);
    for (const store of db.stores) {
      expect((await store.rooms.ofUser(me))[0]?.readUpTo).toBe(9);
      await store.rooms.mark([{ room, user: me, upTo: 4 }]);
      expect(await store.rooms.readUpTo(me, [room])).toEqual([9]);
    }
  });
}
