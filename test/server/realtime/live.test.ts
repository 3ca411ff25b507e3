import { expect, test } from 'vitest';
import { tellHeads } from '../../../server/realtime/live.ts';
import type { LiveSocket } from '../../../server/realtime/types.ts';

test('heads tells only of rooms whose head the socket was not told, and never of a lower one', () => {
  const heard: unknown[] = [];
  const told = new Map([
    ['a', 3],
    ['b', 5],
    ['c', 1],
  ]);
  const socket = { data: { told }, emit: (...said: unknown[]) => heard.push(said) } as unknown as LiveSocket;
  const heads = new Map([
    ['a', 3],
    ['b', 4],
    ['c', 2],
    ['not mine', 9],
  ]);
  tellHeads(socket, heads);
  tellHeads(socket, heads);
  expect(heard).toEqual([['heads', { c: 2 }]]);
});
