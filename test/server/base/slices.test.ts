import { expect, test } from 'vitest';
import { inSlices } from '../../../server/base/slices.ts';
import { turnsOf } from '../../support/turns.ts';

test('a long loop is done some milliseconds at a time, in order', async () => {
  let now = 0;
  const done: number[] = [];
  const turns = turnsOf();
  const items = Array.from({ length: 1_000 }, (_, n) => n);
  await inSlices(
    items,
    (n) => {
      now += 1;
      done.push(n);
      turns.count();
    },
    () => now,
  );
  expect(done).toEqual(items);
  expect(turns.most()).toBeLessThanOrEqual(5);
});
