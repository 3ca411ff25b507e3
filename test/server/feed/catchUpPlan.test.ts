import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { catchUpOrder, newestWithin, startOf, startOfNewest } from '../../../server/feed/catchUpPlan.ts';

describe('where a catch-up begins', () => {
  test.each([
    {
      name: 'nothing missed',
      head: 7,
      cursor: [7, 70],
      at: 70,
      start: { tag: 'few', from: 8, reset: false },
    },
    { name: 'a few missed', head: 9, cursor: [7, 70], at: 70, start: { tag: 'few', from: 8, reset: false } },
    {
      name: 'exactly 200 missed',
      head: 207,
      cursor: [7, 70],
      at: 70,
      start: { tag: 'few', from: 8, reset: false },
    },
    {
      name: 'S3 more missed: the newest messages',
      head: 208,
      cursor: [7, 70],
      at: 70,
      start: { tag: 'many', reset: false },
    },
    {
      name: 'a new client in a young room: all of it',
      head: 120,
      cursor: undefined,
      at: undefined,
      start: { tag: 'few', from: 1, reset: false },
    },
    {
      name: 'a new client in an old room: the newest messages',
      head: 1000,
      cursor: undefined,
      at: undefined,
      start: { tag: 'many', reset: false },
    },
    {
      name: 'an empty room',
      head: 0,
      cursor: undefined,
      at: undefined,
      start: { tag: 'few', from: 1, reset: false },
    },
    {
      name: 'a cursor beyond the head',
      head: 3,
      cursor: [7, 70],
      at: undefined,
      start: { tag: 'few', from: 1, reset: true },
    },
    {
      name: 'another entry at the cursor',
      head: 9,
      cursor: [7, 70],
      at: 71,
      start: { tag: 'few', from: 1, reset: true },
    },
  ] as const)('$name', ({ head, cursor, at, start }) => {
    expect(startOf(head, { cursor: cursor && [...cursor] }, { cursor: at }, true)).toEqual(start);
  });

  test('another epoch resets every room that the client holds, whatever its cursor', () => {
    expect(startOf(9, { cursor: [7, 70] }, { cursor: 70 }, false)).toEqual({
      tag: 'few',
      from: 1,
      reset: true,
    });
    expect(startOf(9, { cursor: [0, 0] }, {}, false)).toEqual({ tag: 'few', from: 1, reset: false });
  });

  test('S1 an entry that a client holds beyond its cursor must be in the log; the catch-up still begins at the cursor', () => {
    const held = { cursor: [3, 30], proof: [7, 70] } satisfies Parameters<typeof startOf>[1];
    expect(startOf(9, held, { cursor: 30, proof: 70 }, true)).toEqual({ tag: 'few', from: 4, reset: false });
    expect(startOf(9, held, { cursor: 30, proof: 71 }, true)).toEqual({ tag: 'few', from: 1, reset: true });
    expect(startOf(6, held, { cursor: 30, proof: undefined }, true)).toMatchObject({ reset: true });
    expect(startOf(9, { proof: [7, 70] }, { proof: 70 }, true)).toMatchObject({ reset: false });
  });

  test('S3 the newest messages begin at the oldest of them, at most 500 entries before the head', () => {
    expect(startOfNewest(1_000, 900)).toBe(900);
    expect(startOfNewest(1_000, 20)).toBe(501);
    expect(startOfNewest(1_000, undefined)).toBe(1_000);
  });
});

test("the open room is first, then rooms with cursors in the client's order, then the others; never a room of others", () => {
  expect(catchUpOrder(['a', 'b', 'c', 'd'], ['c', 'x', 'b'], 'd')).toEqual(['d', 'c', 'b', 'a']);
  expect(catchUpOrder(['a'], [], 'x')).toEqual(['a']);
});

test('the newest items within a budget: never above it, and one more would not fit', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 50 }));
  fc.assert(
    fc.property(sizes, fc.integer({ min: 0, max: 500 }), (items, budget) => {
      const [kept, left] = newestWithin(items, (size) => size, budget);
      const sum = kept.reduce((a, b) => a + b, 0);
      expect(sum + left).toBe(budget);
      expect(kept).toEqual(items.slice(items.length - kept.length));
      const next = items[items.length - kept.length - 1];
      if (next !== undefined) expect(sum + next).toBeGreaterThan(budget);
    }),
  );
});
