/** What the feed does about commits that passed unheard. */
import { expect, test } from 'vitest';
import { createFeed } from '../../../server/feed/feed.ts';
import { type LogStore, type TailListener, Unavailable } from '../../../server/store/port.ts';
import type { Entry } from '../../../shared/entry.ts';
import { waitFor } from '../../support/waitFor.ts';

function scene(heads: Map<string, number>) {
  const questions: (readonly string[])[] = [];
  const delivered: string[] = [];
  let listener: TailListener | undefined;
  let failures = 0;
  let gaps = 0;
  const entry = (serverOffset: number): Entry => {
    return { serverOffset, author: 'a', clientOffset: String(serverOffset), at: 0, kind: 'join' };
  };
  const log = {
    heads: async (rooms: readonly string[]) => {
      questions.push(rooms);
      if (failures-- > 0) throw new Unavailable('away');
      return new Map(rooms.map((room) => [room, heads.get(room) ?? 0]));
    },
    range: async (_room: string, from: number, to: number) => {
      const entries = Array.from({ length: to - from + 1 }, (_, i) => entry(from + i));
      return { entries, amendments: [], head: to };
    },
    tail: async (_from: undefined, given: TailListener) => {
      listener = given;
      return { isOpen: () => true, close: async () => {} };
    },
  } as unknown as LogStore;
  const feed = createFeed({
    log,
    deliver: async (room, entries) =>
      void delivered.push(...entries.map(({ serverOffset }) => `${room}${serverOffset}`)),
    onMembership: () => {},
    onGap: () => gaps++,
    onLag: () => {},
    now: Date.now,
  });
  return {
    feed,
    questions,
    delivered,
    gaps: () => gaps,
    gap: () => listener!.onGap(),
    failNext: (count: number) => {
      failures = count;
    },
  };
}

test('S2 after a gap the heads of all hosted rooms are one question, and what is missing is read', async () => {
  const heads = new Map([
    ['a', 1],
    ['b', 5],
    ['c', 2],
  ]);
  const { feed, questions, delivered, gap, gaps, failNext } = scene(heads);
  await feed.start();
  await Promise.all(['a', 'b', 'c'].map((room) => feed.host(room).opening()));
  expect(questions).toEqual([['a', 'b', 'c']]);
  heads.set('a', 3).set('c', 4);
  failNext(1);
  gap();
  expect(gaps()).toBe(1);
  await waitFor('what is missing', () => delivered.length === 4);
  expect(delivered.toSorted()).toEqual(['a2', 'a3', 'c3', 'c4']);
  expect(questions.slice(1)).toEqual([
    ['a', 'b', 'c'],
    ['a', 'b', 'c'],
  ]);
  await feed.close();
});

test('after a gap with no room hosted nothing is asked', async () => {
  const { feed, questions, gap, gaps } = scene(new Map());
  await feed.start();
  gap();
  expect([gaps(), questions]).toEqual([1, []]);
  await feed.close();
});
