import { expect, it } from 'vitest';
import type { Collections } from '../../../../server/store/mongo/base/collections.ts';
import { createMemberCounts } from '../../../../server/store/mongo/roomStore.ts';

/** Rooms with their numbers of members, and the queries to the database. */
function scene(present: Record<string, number>) {
  const asked: string[][] = [];
  let now = 0;
  let hold: Promise<void> | undefined;
  const members = {
    aggregate: ([{ $match }]: [{ $match: { room: { $in: string[] } } }]) => ({
      async toArray() {
        asked.push($match.room.$in);
        const found = $match.room.$in
          .filter((room) => present[room])
          .map((room) => ({ _id: room, count: present[room] }));
        await hold;
        return found;
      },
    }),
  } as unknown as Collections['members'];
  const counts = createMemberCounts({ members }, () => now);
  const heads = new Map<string, number>();
  return {
    counts,
    of: async (...rooms: string[]) => counts.of(new Map(rooms.map((room) => [room, heads.get(room) ?? 0]))),
    heads,
    asked,
    present,
    pass: (ms: number) => {
      now += ms;
    },
    holdUntil: (released: Promise<void> | undefined) => {
      hold = released;
    },
  };
}

const counted = (counts: Record<string, number>) => new Map(Object.entries(counts));

it('counts several rooms with one query; an empty room has 0', async () => {
  const { of, asked } = scene({ a: 2, b: 900 });
  expect(await of('a', 'b', 'c')).toEqual(counted({ a: 2, b: 900, c: 0 }));
  expect(asked).toEqual([['a', 'b', 'c']]);
});

it('a count that was the same for a second is used for a minute, while no entry changes the members', async () => {
  const { of, asked, heads, counts, present, pass } = scene({ a: 2 });
  heads.set('a', 5);
  await of('a', 'c');
  pass(999);
  await of('a', 'c'); // a member whose row was just being written would be counted now
  pass(1);
  expect(await of('a', 'c')).toEqual(counted({ a: 2, c: 0 }));
  expect(asked).toHaveLength(2);
  counts.delivered({ room: 'a', serverOffset: 6, kind: 'text' });
  heads.set('a', 6);
  expect(await of('a')).toEqual(counted({ a: 2 }));
  expect(asked).toHaveLength(2);
  pass(60_000);
  Object.assign(present, { a: 3 }); // a change that was not delivered
  expect(await of('a')).toEqual(counted({ a: 3 }));
});

it('a head that the tail has not delivered yet may be a join: the members are counted', async () => {
  const { of, heads, present, pass } = scene({ a: 2 });
  heads.set('a', 5);
  await of('a');
  pass(2_000);
  heads.set('a', 6);
  Object.assign(present, { a: 3 });
  expect(await of('a')).toEqual(counted({ a: 3 }));
});

it('for 10 s after a change, whose row may follow late, only a large count is cached, for a second', async () => {
  const { of, asked, counts, heads, present, pass } = scene({ a: 2, b: 900 });
  await of('a', 'b');
  for (const room of ['a', 'b']) {
    heads.set(room, 1);
    counts.delivered({ room, serverOffset: 1, kind: 'join' });
  }
  await of('a', 'b'); // the rows have not followed yet
  Object.assign(present, { a: 3, b: 901 });
  pass(999);
  expect(await of('a', 'b')).toEqual(counted({ a: 3, b: 900 }));
  pass(1);
  expect(await of('b')).toEqual(counted({ b: 901 }));
  expect(asked).toEqual([['a', 'b'], ['a', 'b'], ['a'], ['b']]);
  pass(10_000);
  await of('a');
  pass(1_000);
  await of('a');
  expect(asked).toHaveLength(5);
});

it('of thousands of concurrent calls only one counts', async () => {
  const { of, asked } = scene({ lobby: 5_000 });
  await of('lobby');
  await Promise.all(Array.from({ length: 1_000 }, () => of('lobby')));
  expect(asked).toHaveLength(1);
});

it('a join in this process is counted at once, also if a count was in flight', async () => {
  const { of, counts, present, holdUntil } = scene({ b: 900 });
  const { promise, resolve } = Promise.withResolvers<void>();
  holdUntil(promise);
  const before = of('b');
  Object.assign(present, { b: 901 });
  counts.invalidate('b');
  holdUntil(undefined);
  resolve();
  await before;
  expect(await of('b')).toEqual(counted({ b: 901 }));
});
