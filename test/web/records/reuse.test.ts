import { expect, test } from 'vitest';
import { isEqual, reuse, reuseElements } from '../../../web/records/reuse.ts';

test.each([
  [1, 1, true],
  [Number.NaN, Number.NaN, true],
  [1, '1', false],
  [null, undefined, false],
  [null, {}, false],
  [{}, [], false],
  [[], {}, false],
  [{ a: [{ b: 1 }], c: undefined }, { a: [{ b: 1 }], c: undefined }, true],
  [{ a: [{ b: 1 }] }, { a: [{ b: 2 }] }, false],
  [{ a: undefined }, { b: undefined }, false],
  [[1, 2], [1], false],
  [[1], [1, 2], false],
])('%j and %j are equal: %j', (a, b, expected) => {
  expect(isEqual(a, b)).toBe(expected);
  expect(isEqual(b, a)).toBe(expected);
});

test('what is equal is the same object as before', () => {
  const before = { a: { b: 1 } };
  expect(reuse(before, { a: { b: 1 } })).toBe(before);
  const next = { a: { b: 2 } };
  expect(reuse(before, next)).toBe(next);
  expect(reuse(undefined, next)).toBe(next);
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
