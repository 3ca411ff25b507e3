import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createKnownHeads } from '../../../../server/store/mongo/knownHeads.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('L1 the known head never goes back', () => {
  const heads = createKnownHeads();
  expect(heads.offsetOf('a')).toBe(0);
  for (const [heard, known] of [
    [3, 3],
    [2, 3],
    [7, 7],
  ] as const) {
    heads.learn('a', heard);
    expect(heads.offsetOf('a')).toBe(known);
  }
  expect(heads.offsetOf('b')).toBe(0);
});

it('a wait for a head resolves when the head is beyond, and not before', async () => {
  const heads = createKnownHeads();
  heads.learn('a', 3);
  const told: number[] = [];
  const waits = [2, 3, 4].map((beyond) => heads.beyond('a', beyond, 1_000).then((head) => told.push(head)));
  await vi.advanceTimersByTimeAsync(0);
  expect(told).toEqual([3]);
  heads.learn('b', 9);
  heads.learn('a', 4);
  await vi.advanceTimersByTimeAsync(0);
  expect(told).toEqual([3, 4]);
  heads.learn('a', 6);
  await Promise.all(waits);
  expect(told).toEqual([3, 4, 6]);
  expect(vi.getTimerCount()).toBe(0);
});

it('a wait that times out resolves with the known head', async () => {
  const heads = createKnownHeads();
  heads.learn('a', 3);
  const wait = heads.beyond('a', 3, 1_000);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await wait).toBe(3);
});

it('the time of a head is known once its own entry was read', () => {
  const heads = createKnownHeads();
  expect(heads.newest('a')).toBeUndefined();
  heads.learn('a', 3);
  expect(heads.newest('a')).toBeUndefined();
  heads.learn('a', 2, 20);
  expect(heads.newest('a')).toBeUndefined();
  heads.learn('a', 3, 30);
  expect(heads.newest('a')).toEqual({ serverOffset: 3, at: 30 });
  heads.learn('a', 4);
  expect(heads.newest('a')).toBeUndefined();
  heads.learn('a', 4, 40);
  heads.doubt('a');
  expect([heads.offsetOf('a'), heads.newest('a')]).toEqual([4, undefined]);
});
