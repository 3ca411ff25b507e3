import { expect, test } from 'vitest';
import { haveSameFields, reuse, reuseElements } from '../../../web/records/reuse.ts';

test.each([
  [1, 1, true],
  [Number.NaN, Number.NaN, true],
  [1, '1', false],
  [null, undefined, false],
  [null, {}, false],
  [{ a: 1, b: undefined }, { a: 1, b: undefined }, true],
  [{ a: 1 }, { a: 2 }, false],
  [{ a: 1 }, { a: 1, b: 2 }, false],
  [{ a: undefined }, { b: undefined }, true],
  [{ a: undefined }, {}, true],
  [{ a: undefined }, { a: null }, false],
  [{ a: {} }, { a: {} }, false],
  [[1, 2], [1], false],
  [[1, 2], [1, 2], true],
])('the fields of %j and %j are the same: %j', (a, b, expected) => {
  expect(haveSameFields(a, b)).toBe(expected);
  expect(haveSameFields(b, a)).toBe(expected);
});

test('what is equal is the same object as before', () => {
  const before = { a: { b: 1 } };
  expect(reuse(before, { a: { b: 1 } })).toBe(before);
  const next = { a: { b: 2 } };
  expect(reuse(before, next)).toBe(next);
  expect(reuse(undefined, next)).toBe(next);
});

test.each([
  [{ a: 1, b: undefined }, { a: 1 }, true],
  [{ a: undefined }, { b: undefined }, true],
  [{ a: 1, b: 2 }, { b: 2, a: 1 }, true],
  [{ a: [{ b: [1] }] }, { a: [{ b: [1] }] }, true],
  [{ a: [{ b: [1] }] }, { a: [{ b: [2] }] }, false],
  [{ a: [1] }, { a: [1, 2] }, false],
  [{ a: 1 }, { a: 1, b: 2 }, false],
  [{ a: null }, { a: undefined }, false],
  [{ a: null }, { a: {} }, false],
  [{ a: 0 }, { a: false }, false],
  ['', undefined, false],
])('%j and %j are equal as plain data: %j', (a, b, expected) => {
  expect(reuse<unknown>(a, b) === a).toBe(expected);
  expect(reuse<unknown>(b, a) === b).toBe(expected);
});

test('elements keep their identity by their key, wherever they have moved', () => {
  const keyOf = ({ key }: { key: string }) => key;
  const before = [
    { key: 'a', n: 1 },
    { key: 'b', n: 1 },
  ];
  const [a, b] = before;
  expect(reuseElements(before, structuredClone(before), keyOf)).toBe(before);
  const moved = reuseElements(before, structuredClone([b!, a!]), keyOf);
  expect(moved[0]).toBe(b);
  expect(moved[1]).toBe(a);
  const changed = reuseElements(before, [{ key: 'a', n: 2 }, structuredClone(b!)], keyOf);
  expect(changed).toEqual([{ key: 'a', n: 2 }, b]);
  expect(changed[1]).toBe(b);
});
