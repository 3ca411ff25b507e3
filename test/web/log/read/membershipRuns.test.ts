/** Joins and leaves on the screen: which of them are one line, who it names, and what a window costs that has many of them. */
import { afterEach, expect, test, vi } from 'vitest';
import type { Entry } from '../../../../shared/entry.ts';
import { fold } from '../../../../shared/fold.ts';
import {
  MEMBERSHIPS_AT_ONCE,
  membershipRuns,
  RUN_MAX_ENTRIES,
} from '../../../../web/log/read/membershipRuns.ts';
import { anchorOlder } from '../../../../web/log/read/moveWindow.ts';
import { runPeople } from '../../../../web/log/read/runPeople.ts';
import { AT_NEWEST, readWindow, type Window, type WindowAnchor } from '../../../../web/log/read/window.ts';
import { WINDOW_STEP_LINES } from '../../../../web/records/pageLimits.ts';
import { countReads } from '../../db/countReads.ts';
import { ROOM } from '../../outbox/support.ts';
import { mint } from '../../state/modelServer.ts';
import { emptyDatabase, holdOf } from '../storedLog.ts';
import { amend, grow, me } from '../syncBench.ts';

afterEach(() => void vi.restoreAllMocks());

function moved(serverOffset: number, kind: string, author: string): Entry {
  return { serverOffset, author, clientOffset: mint(), at: serverOffset, kind };
}

function join(log: Entry[], count: number, kind: 'join' | 'leave' = 'join'): void {
  for (let i = 0; i < count; i++) log.push(moved(log.length + 1, kind, mint()));
}

const offsets = (entries: readonly Entry[]) => entries.map(({ serverOffset }) => serverOffset);

test('a run of joins and leaves ends at a line and at a gap', () => {
  const entries = [2, 3, 6, 9, 14, 15, 21].map((offset) => moved(offset, 'join', mint()));
  expect(membershipRuns(entries, [5, 10, 13, 20]).map(offsets)).toEqual([[2, 3], [6, 9], [14, 15], [21]]);
  expect(membershipRuns(entries, []).map(offsets)).toEqual([offsets(entries)]);
  expect(membershipRuns([], [5])).toEqual([]);
});

test('a notice is a run by itself, between others', () => {
  const entries = ['join', 'role', 'removal', 'join', 'leave', 'ban'].map((kind, i) =>
    moved(i + 1, kind, mint()),
  );
  expect(membershipRuns(entries, []).map(offsets)).toEqual([[1], [2], [3], [4, 5], [6]]);
});

test('a run names up to three people by what each did last, the user first; of more it names two', () => {
  const people = (...did: string[]) =>
    runPeople(
      did.map((what, i) => moved(i + 1, what.startsWith('-') ? 'leave' : 'join', what.replace('-', ''))),
      'me',
    );
  const none = { named: [], others: 0 };
  expect(people('lin', 'osei', 'me')).toEqual({
    joined: { named: ['me', 'lin', 'osei'], others: 0 },
    left: none,
  });
  expect(people('a', 'b', 'c', 'd', 'me')).toEqual({ joined: { named: ['me', 'a'], others: 3 }, left: none });
  expect(people('a', '-a', 'b', '-c', 'c')).toEqual({
    joined: { named: ['b', 'c'], others: 0 },
    left: { named: ['a'], others: 0 },
  });
  const subject = { ...moved(1, 'leave', 'a moderator'), subject: 'lin' };
  expect(runPeople([subject], 'me').left).toEqual({ named: ['lin'], others: 0 });
  const most = Array.from({ length: RUN_MAX_ENTRIES }, (_, i) => `u${i}`);
  expect(people(...most).joined.others).toBe(RUN_MAX_ENTRIES - 2);
  expect(people(...most, 'one more').joined).toEqual({
    named: ['u0', 'u1'],
    others: Number.POSITIVE_INFINITY,
  });
});

test('a window has the joins and leaves between its lines, above the first and after the last; edits among them are none', async () => {
  const log: Entry[] = [];
  join(log, 3);
  grow(log, 60);
  join(log, 2);
  amend(log, 'edit', 63, 'edited');
  join(log, 1, 'leave');
  grow(log, 1);
  join(log, 4);
  const db = emptyDatabase(me);
  const read = (anchor: WindowAnchor) =>
    db.read(['logSpans', 'log', 'detached'], (tx) => readWindow(tx, ROOM, anchor, []));
  await holdOf(db, log, [{ from: 1, to: log.length, amendedTo: log.length }]);
  const newest = await read(AT_NEWEST);
  expect(newest.lines).toEqual(fold(log).slice(-50));
  expect(offsets(newest.memberships)).toEqual([64, 65, 67, 69, 70, 71, 72]);
  const older = (window: Window) =>
    db.read(['logSpans', 'log', 'detached'], (tx) => anchorOlder(tx, ROOM, window, WINDOW_STEP_LINES));
  let whole = newest;
  while (whole.lines.length < fold(log).length) whole = await read(await older(whole));
  expect(whole.lines).toEqual(fold(log));
  expect(offsets(whole.memberships)).toEqual([1, 2, 3, 64, 65, 67, 69, 70, 71, 72]);
  const above = await read({ tag: 'from', from: { tag: 'line', offset: 4 }, count: 60 });
  expect(offsets(above.memberships)).toEqual([1, 2, 3]);
});

test('of thousands of joins a window reads a bounded number, and the lines below and between them show all the same', async () => {
  const log: Entry[] = [];
  grow(log, 2);
  join(log, 1_000);
  grow(log, 1);
  join(log, 3);
  grow(log, 1);
  join(log, 1_000);
  const db = emptyDatabase(me);
  await holdOf(db, log, [{ from: 1, to: log.length, amendedTo: log.length }]);
  const read = () => db.read(['logSpans', 'log', 'detached'], (tx) => readWindow(tx, ROOM, AT_NEWEST, []));
  await read();
  const count = countReads();
  const { lines, memberships, reachesOldest } = await read();
  expect(count()).toBeLessThan(MEMBERSHIPS_AT_ONCE + 3 * (RUN_MAX_ENTRIES + 1) + 20);
  expect(lines).toEqual(fold(log));
  expect(reachesOldest).toBe(true);
  const runs = membershipRuns(memberships, offsets(log.filter(({ kind }) => kind === 'text')));
  expect(runs.map(({ length }) => length)).toEqual([RUN_MAX_ENTRIES + 1, 3, RUN_MAX_ENTRIES + 1]);

  await holdOf(db, log.slice(2, 1_002), [{ from: 3, to: 1_002, amendedTo: 1_002 }]);
  const joins = await read();
  expect(joins.lines).toEqual([]);
  expect(joins.memberships).toHaveLength(RUN_MAX_ENTRIES + 1);
});
