import { expect, test } from 'vitest';
import { createRecentMap } from '../../../server/base/recentMap.ts';

function scene(maxEntries = 100) {
  const time = { now: 0 };
  const map = createRecentMap<string, number>({ maxEntries, keepMs: 1_000, now: () => time.now });
  return { map, time };
}

test('what is used stays; what is not used is gone after twice the time', () => {
  const { map, time } = scene();
  map.set('used', 1);
  map.set('unused', 2);
  for (time.now = 600; time.now <= 2_400; time.now += 600) {
    expect(map.get('used')).toBe(1);
    map.set('another', time.now);
  }
  expect(map.get('unused')).toBeUndefined();
  time.now += 10_000;
  map.set('another', time.now);
  expect(map.get('used')).toBeUndefined();
});

test('it has at most so many entries, and the newest half of them', () => {
  const { map } = scene(10);
  for (let n = 0; n < 1_000; n++) map.set(`${n}`, n);
  const held = Array.from({ length: 1_000 }, (_, n) => map.get(`${n}`)).filter((n) => n !== undefined);
  expect(held.length).toBeLessThanOrEqual(10);
  expect(map.get('999')).toBe(999);
});

test('a newer value replaces an older one in either generation; deleted and cleared are gone', () => {
  const { map, time } = scene();
  map.set('a', 1);
  map.set('b', 1);
  time.now = 1_000;
  map.set('a', 2);
  map.delete('b');
  expect([map.get('a'), map.get('b')]).toEqual([2, undefined]);
  map.set('c', 3);
  expect(map.values().sort()).toEqual([2, 3]);
  map.clear();
  expect(map.values()).toEqual([]);
  expect(map.get('a')).toBeUndefined();
});
