import { expect, test } from 'vitest';
import { createRing } from '../../../server/feed/roomFeed.ts';
import type { Entry } from '../../../shared/entry.ts';

const text = (serverOffset: number, body = `text ${serverOffset}`): Entry => ({
  serverOffset,
  author: 'a',
  clientOffset: String(serverOffset),
  at: serverOffset,
  kind: 'text',
  body,
});
const amend = (serverOffset: number, kind: 'edit' | 'delete', target: number): Entry => ({
  ...(text(serverOffset) as object as Entry),
  kind,
  target,
  ...(kind === 'edit' ? { body: 'edited' } : {}),
});

test('holds the newest entries, and says if it does not reach back far enough', () => {
  const ring = createRing(10);
  for (let n = 1; n <= 95; n++) ring.push(text(n));
  expect(ring.slice(90, 95)?.map((e) => e.serverOffset)).toEqual([90, 91, 92, 93, 94, 95]);
  expect(ring.slice(86, 95)).toHaveLength(10);
  expect(ring.slice(60, 95)).toBeUndefined();
  expect(ring.slice(90, 96)).toBeUndefined();
  expect(ring.slice(96, 95)).toEqual([]);
});

test('a deletion redacts its target and the edits of it, and nothing else', () => {
  const ring = createRing(10);
  const entries = [text(1), text(2), amend(3, 'edit', 1), amend(4, 'edit', 2), amend(5, 'delete', 1)];
  for (const entry of entries) ring.push(entry);
  const kept = ring.slice(1, 5)!;
  expect(kept.map((e) => ('body' in e ? e.body : undefined))).toEqual([
    undefined,
    'text 2',
    undefined,
    'edited',
    'text 5',
  ]);
  expect(kept.map((e) => 'deleted' in e && e.deleted)).toEqual([true, false, true, false, false]);
});
