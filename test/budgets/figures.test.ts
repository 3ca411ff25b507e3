import { expect, test } from 'vitest';
import { quantile } from './figures.ts';

test('a quantile is the smallest sample that the given part of all samples does not exceed', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
  expect([0, 0.5, 0.75, 0.99, 1].map((part) => quantile(hundred, part))).toEqual([1, 50, 75, 99, 100]);
  expect(quantile([7], 0.5)).toBe(7);
  expect(quantile([3, 1, 2, 4], 0.75)).toBe(3);
});
