import { expect, test } from 'vitest';
import { APPEND_MAX_ITEMS } from '../../../shared/limits.ts';
import { nextBatch, ONE_ITEM } from '../../../web/outbox/appendBatch.ts';
import { edit, key, parked, text, WHOLE_BATCH } from './support.ts';

const keys = (rows: ReturnType<typeof nextBatch>) => rows.map((row) => row.clientOffset);

test('L5 from the oldest, in order, without parked rows', () => {
  expect(keys(nextBatch([text(1), parked(text(2)), text(3)], WHOLE_BATCH))).toEqual([key(1), key(3)]);
});

test('as many rows as items and bytes allow, at least one', () => {
  const many = Array.from({ length: 150 }, (_, i) => text(i + 1));
  expect(nextBatch(many, WHOLE_BATCH)).toHaveLength(APPEND_MAX_ITEMS);
  const large = [text(1, 'é'.repeat(4_000)), text(2, 'é'.repeat(4_000)), text(3, 'é'.repeat(4_000))];
  expect(keys(nextBatch(large, WHOLE_BATCH))).toEqual([key(1), key(2)]);
  expect(keys(nextBatch(large, ONE_ITEM))).toEqual([key(1)]);
});

test('an edit waits for the verdict of its target', () => {
  expect(keys(nextBatch([text(1), edit(2, 1), text(3)], WHOLE_BATCH))).toEqual([key(1)]);
  expect(keys(nextBatch([parked(text(1)), edit(2, 1), text(3)], WHOLE_BATCH))).toEqual([key(3)]);
  expect(keys(nextBatch([parked(text(1), true), edit(2, 1), text(3)], WHOLE_BATCH))).toEqual([
    key(2),
    key(3),
  ]);
});
