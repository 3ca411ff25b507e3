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
  return {
    counts: createMemberCounts({ members }, () => now),
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

it('counts several rooms with one query; an empty room has 0', async () => {
  const { counts, asked } = scene({ a: 2, b: 900 });
  expect(await counts.of(['a', 'b', 'c'])).toEqual(
    new Map([
      ['a', 2],
      ['b', 900],
      ['c', 0],
    ]),
  );
  expect(asked).toEqual([['a', 'b', 'c']]);
});

it('counts of rooms whose members do not change are cached for a minute', async () => {
  const { counts, asked, present, pass } = scene({ a: 2, b: 900 });
  await counts.of(['a', 'b']);
  pass(59_999);
  expect(await counts.of(['b', 'a'])).toEqual(
    new Map([
      ['b', 900],
      ['a', 2],
    ]),
  );
  expect(asked).toEqual([['a', 'b']]);
  Object.assign(present, { a: 3 });
  pass(1);
  expect((await counts.of(['a'])).get('a')).toBe(3); // also where the change was not delivered
});

it('for 10 s after a change, whose row may follow late, a large count is cached for a second, a small one not', async () => {
  const { counts, asked, present, pass } = scene({ a: 2, b: 900 });
  await counts.of(['a', 'b']);
  for (const room of ['a', 'b']) counts.invalidate(room);
  await counts.of(['a', 'b']); // the rows have not followed yet
  Object.assign(present, { a: 3, b: 901 });
  pass(999);
  expect(await counts.of(['b', 'a'])).toEqual(
    new Map([
      ['b', 900],
      ['a', 3],
    ]),
  );
  pass(1);
  expect(await counts.of(['b'])).toEqual(new Map([['b', 901]]));
  expect(asked).toEqual([['a', 'b'], ['a', 'b'], ['a'], ['b']]);
  pass(10_000);
  await counts.of(['a']);
  await counts.of(['a']);
  expect(asked).toHaveLength(5);
});

it('of thousands of concurrent calls only one counts', async () => {
  const { counts, asked } = scene({ lobby: 5_000 });
  await counts.of(['lobby']);
  await Promise.all(Array.from({ length: 1_000 }, () => counts.of(['lobby'])));
  expect(asked).toHaveLength(1);
});

it('a join in this process is counted at once, also if a count was in flight', async () => {
  const { counts, present, holdUntil } = scene({ b: 900 });
  const { promise, resolve } = Promise.withResolvers<void>();
  holdUntil(promise);
  const before = counts.of(['b']);
  Object.assign(present, { b: 901 });
  counts.invalidate('b');
  holdUntil(undefined);
  resolve();
  await before;
  expect(await counts.of(['b'])).toEqual(new Map([['b', 901]]));
});
