import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { MARKS_EVERY_MS, MARKS_PENDING_MAX } from '../../../server/base/serverLimits.ts';
import { createMarkWriter } from '../../../server/rooms/markWriter.ts';
import { type RaisedMark, Unavailable } from '../../../server/store/port.ts';
import { memoryHarness } from '../../contract/memory/harness.ts';
import { append, join, newId, newRoom } from '../../contract/support.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function scene() {
  const written: RaisedMark[][] = [];
  const errors: unknown[] = [];
  const state: { failure: Error | undefined; hold: Promise<void> | undefined } = {
    failure: undefined,
    hold: undefined,
  };
  const marks = createMarkWriter({
    store: {
      async mark(raised) {
        await state.hold;
        if (state.failure) throw state.failure;
        written.push([...raised]);
      },
    },
    logger: { error: (...args: unknown[]) => void errors.push(args) },
    now: () => Date.now(),
  });
  const soon = () => vi.advanceTimersByTimeAsync(MARKS_EVERY_MS);
  return { marks, written, state, errors, soon };
}

test('200 readers of one message cost one transaction', async () => {
  const { marks, written, soon } = scene();
  for (let n = 0; n < 200; n++) marks.raise({ room: 'r', user: `u${n}`, upTo: 7 });
  expect(written).toEqual([]);
  await soon();
  expect(written.map((batch) => batch.length)).toEqual([200]);
  await soon();
  expect(written).toHaveLength(1);
});

test('of the markers of a user in a room the greatest is written, and one that changes nothing is not', async () => {
  const { marks, written, soon } = scene();
  const raise = (upTo: number) => marks.raise({ room: 'r', user: 'ada', upTo });
  expect([raise(3), raise(9), raise(5)]).toEqual([3, 9, 9]);
  await soon();
  expect(written).toEqual([[{ room: 'r', user: 'ada', upTo: 9 }]]);
  expect([raise(9), raise(4)]).toEqual([9, 9]);
  await soon();
  expect(written).toHaveLength(1);
  expect(raise(10)).toBe(10);
  await soon();
  expect(written[1]).toEqual([{ room: 'r', user: 'ada', upTo: 10 }]);
});

test('a marker that is raised during the write is written next', async () => {
  const { marks, written, state, soon } = scene();
  const { promise, resolve } = Promise.withResolvers<void>();
  state.hold = promise;
  marks.raise({ room: 'r', user: 'ada', upTo: 1 });
  await soon();
  marks.raise({ room: 'r', user: 'ada', upTo: 2 });
  resolve();
  await soon();
  expect(written.flat().map(({ upTo }) => upTo)).toEqual([1, 2]);
});

test('while the store is away they wait, bounded in number, and are then written', async () => {
  const { marks, written, state, errors, soon } = scene();
  state.failure = new Unavailable('away');
  for (let n = 0; n < MARKS_PENDING_MAX; n++) marks.raise({ room: 'r', user: `u${n}`, upTo: 1 });
  expect(() => marks.raise({ room: 'r', user: 'one too many', upTo: 1 })).toThrow(Unavailable);
  expect(marks.raise({ room: 'r', user: 'u0', upTo: 2 })).toBe(2);
  await soon();
  expect(errors).toEqual([]);
  state.failure = undefined;
  await soon();
  expect(written.flat()).toHaveLength(MARKS_PENDING_MAX);
  expect(written.flat()[0]?.upTo).toBe(2);
  expect(() => marks.raise({ room: 'r', user: 'one too many', upTo: 1 })).not.toThrow();
});

test('markers that the store cannot write because of a bug are logged, and do not wait for ever', async () => {
  const { marks, state, errors, soon } = scene();
  state.failure = new Error('a bug');
  marks.raise({ room: 'r', user: 'ada', upTo: 1 });
  await soon();
  expect(errors).toHaveLength(1);
  await soon();
  expect(errors).toHaveLength(1);
});

test('who reads memberships sees the markers that are not written yet; a shutdown writes them', async () => {
  vi.useRealTimers();
  const { store } = await memoryHarness();
  const marks = createMarkWriter({ store: store.rooms, logger: { error: () => {} }, now: () => 0 });
  const rooms = marks.overlay(store.rooms);
  const [room, other, me] = [await newRoom(store), await newRoom(store), newId()];
  await append(store, [join(room, me), join(other, me)]);
  const seen = async () => [
    new Map((await rooms.ofUser(me)).map((membership) => [membership.room.id, membership.readUpTo])).get(
      room,
    ),
    ...(await rooms.readUpTo(me, [room, other])),
  ];
  marks.raise({ room, user: me, upTo: 2 });
  expect(await store.rooms.readUpTo(me, [room])).toEqual([1]);
  expect(await seen()).toEqual([2, 2, 1]);
  await marks.flush();
  expect(await store.rooms.readUpTo(me, [room])).toEqual([2]);
  expect(await seen()).toEqual([2, 2, 1]);
});

test('a marker that is written while memberships are read counts in what the read returns', async () => {
  vi.useRealTimers();
  const { store } = await memoryHarness();
  const marks = createMarkWriter({ store: store.rooms, logger: { error: () => {} }, now: () => 0 });
  const [room, me] = [await newRoom(store), newId()];
  await append(store, [join(room, me)]);
  const { promise, resolve } = Promise.withResolvers<void>();
  /** Reads at once, and answers later. */
  const slow = async <T>(read: Promise<T>) => {
    const found = await read;
    await promise;
    return found;
  };
  const rooms = marks.overlay({
    ...store.rooms,
    ofUser: (user) => slow(store.rooms.ofUser(user)),
    readUpTo: (user, ids) => slow(store.rooms.readUpTo(user, ids)),
    readers: (id, limit) => slow(store.rooms.readers(id, limit)),
  });
  const readAll = async () => {
    const found = [rooms.ofUser(me), rooms.readUpTo(me, [room]), rooms.readers(room, 10)] as const;
    const [memberships, upTo, readers] = await Promise.all(found);
    return [memberships[0]?.readUpTo, upTo[0], readers[0]?.upTo];
  };
  const before = readAll();
  marks.raise({ room, user: me, upTo: 2 });
  const during = readAll();
  await marks.flush();
  resolve();
  expect(await before).toEqual([2, 2, 2]);
  expect(await during).toEqual([2, 2, 2]);
  expect(await readAll()).toEqual([2, 2, 2]);
});

test('who waits until a marker is stored waits for its write, and is told where the store does not take it', async () => {
  const { marks, written, state } = scene();
  const mark = { room: 'r', user: 'ada', upTo: 3 };
  marks.raise(mark);
  await marks.stored(mark);
  expect(written).toEqual([[mark]]);
  await marks.stored({ ...mark, upTo: 2 });
  expect(written).toHaveLength(1);
  state.failure = new Unavailable('It is locked.');
  const next = { ...mark, upTo: 5 };
  marks.raise(next);
  await expect(marks.stored(next)).rejects.toThrow(Unavailable);
  state.failure = undefined;
  await marks.stored(next);
  expect(written.at(-1)).toEqual([next]);
});

test('who waits until a marker is stored is told where the store fails because of a bug, also where that was before; a repeat is written', async () => {
  const { marks, written, state, soon } = scene();
  const mark = { room: 'r', user: 'ada', upTo: 3 };
  state.failure = new Error('a bug');
  marks.raise(mark);
  await expect(marks.stored(mark)).rejects.toThrow(Unavailable);
  marks.raise(mark);
  await soon();
  await expect(marks.stored(mark)).rejects.toThrow(Unavailable);
  state.failure = undefined;
  expect(marks.raise(mark)).toBe(3);
  await marks.stored(mark);
  expect(written).toEqual([[mark]]);
});
