import { expect, test } from 'vitest';
import { createStrangers } from '../../../server/limits/strangers.ts';

function scene(ofAddress: number, inAll: number) {
  const evicted: string[] = [];
  return {
    strangers: createStrangers<string>({ ofAddress, inAll, evict: (one) => evicted.push(one) }),
    evicted,
  };
}

test('beyond the bound of an address its oldest is evicted, and nobody else', () => {
  const { strangers, evicted } = scene(2, 100);
  strangers.add('b', 'b1');
  for (const one of ['a1', 'a2', 'a3', 'a4']) strangers.add('a', one);
  expect(evicted).toEqual(['a1', 'a2']);
});

test('beyond the bound in all, the oldest of the address with most is evicted', () => {
  const { strangers, evicted } = scene(100, 4);
  for (const one of ['a1', 'b1', 'b2', 'b3', 'c1', 'd1']) strangers.add(one[0]!, one);
  expect(evicted).toEqual(['b1', 'b2']);
});

test('who is authenticated or gone does not count', () => {
  const { strangers, evicted } = scene(2, 3);
  strangers.add('a', 'a1');
  strangers.add('a', 'a2');
  strangers.remove('a', 'a1');
  strangers.remove('a', 'a1');
  strangers.remove('z', 'z1');
  strangers.add('a', 'a3');
  expect(evicted).toEqual([]);
  strangers.add('b', 'b1');
  strangers.add('b', 'b2');
  expect(evicted).toEqual(['a2']);
});
