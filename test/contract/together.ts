import { expect, it } from 'vitest';
import type { NewDevice, Store } from '../../server/store/port.ts';
import {
  appendNew,
  edit,
  type Harness,
  inDatabase,
  join,
  leave,
  newId,
  newRoom,
  remove,
  text,
  upTo,
} from './support.ts';
import { deviceOf, someone } from './users.ts';

/** Reads of many people at the same moment, as after a restart: a store may answer several of them by one query. */
export function togetherCases(open: () => Promise<Harness>): void {
  const db = inDatabase(open);

  it('what many ask at the same moment is what each is answered alone', async () => {
    const { store } = db;
    const people = await Promise.all(upTo(4).map(() => signedUp(store)));
    const [ada, bo, cy] = people.map(({ user }) => user.id) as [string, string, string];
    const [first, second, third] = (await Promise.all(upTo(3).map(() => newRoom(store)))) as [
      string,
      string,
      string,
    ];
    const gone = text(first, ada, 'gone');
    await appendNew(store, [
      ...[ada, bo, cy].map((user) => join(first, user)),
      gone,
      text(first, bo, 'there'),
    ]);
    await appendNew(store, [
      edit(gone, 'changed'),
      text(first, cy, 'newest'),
      remove(gone),
      leave(first, cy),
    ]);
    await appendNew(store, [join(second, bo), join(second, cy), text(second, cy, 'here'), join(third, ada)]);
    await store.rooms.mark([
      { room: first, user: ada, upTo: 5 },
      { room: first, user: bo, upTo: 7 },
      { room: first, user: cy, upTo: 8 }, // who has left
      { room: second, user: bo, upTo: 3 },
    ]);
    await store.rooms.choose(second, bo, { muted: true }, 1_000);
    await store.rooms.choose(first, bo, { pinned: true }, 1_000);
    for (const { user } of people.slice(1)) await store.users.rename(user.id, newId(), newId());
    await store.users.removeDevice(people[3]!.user.id, people[3]!.device.id, 2_000);

    const points = upTo(11).map((serverOffset) => ({ room: first, serverOffset }));
    const asks: (() => Promise<unknown>)[] = [
      ...people.flatMap(({ user, device }) => [
        () => store.users.byToken(device.tokenHash),
        () => store.rooms.ofUser(user.id),
        () => store.rooms.ofUser(user.id),
        ...[0, 1, 2].map((rev) => () => store.users.changedAround(user.id, rev, 10)),
        () => store.users.changedAround(user.id, 0, 1),
        ...[0, 4, 6, 20].flatMap((after) => [
          () => store.log.unread(first, user.id, after, 100),
          () => store.log.unread(first, user.id, after, 1),
          () => store.log.unread(second, user.id, after, 100),
        ]),
      ]),
      () => store.users.byToken(newId()),
      () => store.rooms.ofUser(newId()),
      ...upTo(6).map((n) => () => store.log.timesAt([...points.slice(n), { room: second, serverOffset: n }])),
      () => store.log.timesAt([]),
    ];
    const alone: unknown[] = [];
    for (const ask of asks) alone.push(await ask());
    expect(new Set(alone.map((one) => JSON.stringify(one))).size).toBeGreaterThan(15);
    expect(await Promise.all(asks.map((ask) => ask()))).toEqual(alone);
  });

  it('whoever asks sees all that was written before, also while others read', async () => {
    const { store } = db;
    const { user, device } = await signedUp(store);
    const me = user.id;
    const room = await newRoom(store);
    await appendNew(store, [join(room, me), text(room, newId(), '2')]);
    const mine = async () =>
      (await store.rooms.ofUser(me)).map(({ readUpTo, settings }) => ({ readUpTo, settings }));
    const read = () =>
      Promise.all([mine(), store.log.unread(room, me, 1, 9), store.users.byToken(device.tokenHash)]);
    const others: Promise<unknown>[] = [];
    const meanwhile = () => others.push(...upTo(5).map(read));

    meanwhile();
    await store.rooms.mark([{ room, user: me, upTo: 2 }]);
    expect((await read())[0]).toEqual([{ readUpTo: 2, settings: undefined }]);
    meanwhile();
    await store.rooms.choose(room, me, { muted: true }, 1_000);
    expect((await read())[0]).toEqual([{ readUpTo: 2, settings: { muted: true, rev: 1 } }]);
    meanwhile();
    await appendNew(store, [text(room, newId(), '3')]);
    expect((await read())[1]).toBe(2);
    meanwhile();
    await store.users.removeDevice(me, device.id, 2_000);
    expect((await read())[2]).toBeUndefined();
    await Promise.all(others);
  });
}

async function signedUp(store: Store): Promise<{ user: ReturnType<typeof someone>; device: NewDevice }> {
  const user = someone();
  const device = deviceOf(user.id);
  await store.users.create(user, device);
  return { user, device };
}
