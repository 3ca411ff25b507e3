import { expect, test } from 'vitest';
import { sendNewHeads } from '../../../server/realtime/reconciler.ts';

test('`heads` has only rooms whose head is above the one that was sent before', () => {
  const sent: unknown[] = [];
  const sentHeads = new Map([
    ['a', 3],
    ['b', 5],
    ['c', 1],
  ]);
  const recipient = { sentHeads, emit: (...frame: unknown[]) => void sent.push(frame) };
  const heads = new Map([
    ['a', 3],
    ['b', 4],
    ['c', 2],
    ['not mine', 9],
  ]);
  sendNewHeads(recipient, heads);
  sendNewHeads(recipient, heads);
  expect(sent).toEqual([['heads', { c: 2 }]]);
});
