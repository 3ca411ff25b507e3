import { afterEach, expect, test, vi } from 'vitest';
import type { Entry } from '../../../shared/entry.ts';
import { fold, type Line } from '../../../shared/fold.ts';
import { isAmendment } from '../../../shared/kinds.ts';
import { WINDOW_MAX_LINES } from '../../../shared/limits.ts';
import type { UserDatabase } from '../../../web/db/schema.ts';
import { readLastLine } from '../../../web/log/lines.ts';
import type { Quiet } from '../../../web/log/quiet.ts';
import { cover, type Span, spanAt } from '../../../web/log/spans.ts';
import {
  AT_NEWEST,
  type Place,
  placeNewer,
  placeOlder,
  readWindow,
  type Window,
} from '../../../web/log/window.ts';
import { type Random, seeded } from '../../support/random.ts';
import { seedsOf } from '../../support/runs.ts';
import { ROOM } from '../outbox/support.ts';
import { emptyDatabase, holdOf } from './heldLog.ts';
import { amend, grow, me, text } from './syncSupport.ts';

afterEach(() => void vi.restoreAllMocks());

const read = (db: UserDatabase, place: Place, queue: readonly number[] = []) =>
  db.read(['logSpans', 'log', 'detached'], (tx) => readWindow(tx, ROOM, place, queue));
const older = (db: UserDatabase, window: Window) =>
  db.read(['logSpans', 'log', 'detached'], (tx) => placeOlder(tx, ROOM, window));
const whole = (log: readonly Entry[]): Span[] => [{ from: 1, to: log.length, amendedTo: log.length }];
const items = ({ lines, rows }: Pick<Window, 'lines' | 'rows'>): (Line | number)[] => [...lines, ...rows];
const counted = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

test('O3 a window holds at most 150, waiting ones included: first the newest of them', async () => {
  const log: Entry[] = [];
  grow(log, 100);
  const db = emptyDatabase(me);
  await holdOf(db, log, whole(log));
  const queue = counted(2_000);
  let window = await read(db, AT_NEWEST, queue);
  expect(items(window)).toEqual(queue.slice(-50));
  for (let i = 0; i < 45; i++) {
    window = await read(db, await older(db, window), queue);
    expect(items(window).length).toBeLessThanOrEqual(WINDOW_MAX_LINES);
  }
  expect(window).toMatchObject({ reachesOldest: true, place: { tag: 'from', from: { offset: 1 } } });
  expect(items(window)).toEqual([...fold(log), ...queue.slice(0, 50)]);
  for (let i = 0; i < 45; i++) window = await read(db, placeNewer(window), queue);
  expect(window.place.tag).toBe('newest');
  expect(items(window)).toEqual(queue.slice(-items(window).length));
});

test.each(seedsOf('ways through a window'))(
  'O3 S3 whatever way one goes, what shows is a slice of all there is: seed %i',
  async (seed) => {
    const random = seeded(seed);
    const db = emptyDatabase(me);
    const log = randomLog(random);
    let spans = randomSpans(random, log);
    const loose = new Set(counted(log.length).filter((n) => n > spans.at(-1)!.to && random.int(0, 2) === 0));
    const queue = counted(random.pick([0, 0, 3, 60, 400])).map((n) => n * 2);
    const hold = () => holdOf(db, log, spans, loose);
    await hold();
    const held = () =>
      log.filter((e) => spanAt(spans, e.serverOffset) || loose.has(e.serverOffset) || amendsHeld(e));
    const amendsHeld = (entry: Entry) => isAmendment(entry) && spanAt(spans, entry.target) !== undefined;

    /** All that can be seen from there without a hole between. */
    const allAround = (window: Window): (Line | number)[] => {
      const isEnd = window.span?.to === spans.at(-1)?.to;
      const all = held();
      const beyond = isEnd ? Number.POSITIVE_INFINITY : window.span!.to;
      const lines = fold(all, all).filter(
        (line) => line.serverOffset >= (window.span?.from ?? 0) && line.serverOffset <= beyond,
      );
      return [...lines, ...(isEnd ? queue : [])];
    };
    const check = (window: Window) => {
      const all = allAround(window);
      const shown = items(window);
      expect(shown.length).toBeLessThanOrEqual(WINDOW_MAX_LINES);
      const at = shown.length === 0 ? all.length : all.findIndex((item) => same(item, shown[0]!));
      expect(shown).toEqual(all.slice(at, at + shown.length));
      if (window.reachesOldest) expect(at).toBe(0);
      if (window.reachesNewest) expect(at + shown.length).toBe(all.length);
      return { at, end: at + shown.length, all };
    };

    let window = await read(db, AT_NEWEST, queue);
    for (let step = 0; step < 40; step++) {
      const before = check(window);
      const back = random.int(0, 9) < (step < 25 ? 7 : 2);
      if (back && window.reachesOldest && window.span && window.span.from > 1) {
        const { from } = window.span;
        spans = cover(
          spans,
          { from: Math.max(1, from - random.int(20, 200)), to: from - 1, amendedTo: log.length },
          true,
        )!;
        await hold();
        window = await read(db, window.place, queue);
        check(window);
      } else if (!back && window.reachesNewest && window.place.tag === 'from') {
        const { to } = window.span!;
        spans = cover(
          spans,
          { from: to + 1, to: Math.min(log.length, to + random.int(1, 100)), amendedTo: log.length },
          true,
        )!;
        await hold();
        window = await read(db, window.place, queue);
        check(window);
      } else {
        window = await read(db, back ? await older(db, window) : placeNewer(window), queue);
        const after = check(window);
        if (back) {
          expect(after.at).toBeLessThanOrEqual(before.at);
          expect(after.end).toBeGreaterThanOrEqual(before.at); // none is left out between
          if (before.at > 0) expect(after.at).toBeLessThan(before.at);
          else expect(window.reachesOldest || after.all.length === 0).toBe(true);
        } else {
          expect(after.end).toBeGreaterThanOrEqual(before.end);
          expect(after.at).toBeLessThanOrEqual(before.end);
          if (before.end < before.all.length) expect(after.end).toBeGreaterThan(before.end);
        }
      }
    }
  },
);

test('S1 a place in a log that was put back is the newest', async () => {
  const log: Entry[] = [];
  grow(log, 30);
  const db = emptyDatabase(me);
  await holdOf(db, log, whole(log));
  for (const from of [{ tag: 'line', offset: 900 } as const, { tag: 'row', seq: 900 } as const])
    expect(await read(db, { tag: 'from', from, count: 100 }, [1])).toMatchObject({
      place: { tag: 'newest' },
      rows: [1],
    });
});

test('S3 it says whether all that changes what is looked at is known', async () => {
  const log: Entry[] = [];
  grow(log, 300);
  const db = emptyDatabase(me);
  await holdOf(db, log, [
    { from: 1, to: 100, amendedTo: 100 },
    { from: 201, to: 300, amendedTo: 300 },
  ]);
  expect((await read(db, AT_NEWEST)).isAmended).toBe(true);
  const place: Place = { tag: 'from', from: { tag: 'line', offset: 40 }, count: 50 };
  expect((await read(db, place)).isAmended).toBe(false);
  await holdOf(db, log, [
    { from: 1, to: 100, amendedTo: 250 },
    { from: 201, to: 300, amendedTo: 300 },
  ]);
  expect((await read(db, place)).isAmended).toBe(true);
});

test('the newest line is found behind thousands of edits, and only what came since is looked through again', async () => {
  const log = [text(1), text(2, 'here', me)];
  for (let i = 0; i < 5_000; i++) amend(log, 'edit', 1, `edit ${i}`);
  const db = emptyDatabase(me);
  await holdOf(db, log, whole(log));
  let asked = 0; // entries
  const real = IDBObjectStore.prototype.getAll;
  vi.spyOn(IDBObjectStore.prototype, 'getAll').mockImplementation(function (this: IDBObjectStore, range) {
    if (this.name === 'log') asked += lengthOf(range as IDBKeyRange);
    return real.call(this, range);
  });
  const quiet: Quiet = { stretches: [] };
  const last = () => {
    asked = 0;
    return db.read(['logSpans', 'log', 'detached'], (tx) => readLastLine(tx, ROOM, quiet));
  };
  expect(await last()).toMatchObject({ serverOffset: 2, body: 'here' });
  amend(log, 'edit', 2, 'changed');
  await holdOf(db, log, whole(log));
  expect(await last()).toMatchObject({ serverOffset: 2, body: 'changed' });
  expect(asked).toBeLessThan(10);

  const other: Entry[] = []; // put back: another log, as long
  grow(other, 4_000);
  while (other.length < log.length) amend(other, 'edit', 1, 'x');
  await holdOf(db, other, whole(other));
  expect(await last()).toMatchObject({ serverOffset: 4_000 });
});

function lengthOf({ lower, upper }: IDBKeyRange): number {
  return upper[1] - lower[1] + 1;
}

function same(a: Line | number, b: Line | number): boolean {
  if (typeof a === 'number' || typeof b === 'number') return a === b;
  return a.serverOffset === b.serverOffset;
}

/** Texts, amendments in runs, joins, and what this version does not know. */
function randomLog(random: Random): Entry[] {
  const log: Entry[] = [text(1)];
  const length = random.pick([5, 120, 450]);
  while (log.length < length) {
    const at = log.length + 1;
    const kind = random.pick(['text', 'text', 'text', 'join', 'poll', 'amend']);
    if (kind === 'text') log.push(text(at, `text ${at}`, random.pick([me, undefined])));
    else if (kind !== 'amend') log.push({ ...text(at), kind } as Entry);
    else
      for (let run = random.pick([1, 2, 60]); run > 0; run--) {
        const target = random.pick(log.filter((entry) => entry.kind === 'text')).serverOffset;
        amend(log, random.pick(['edit', 'delete'] as const), target, 'changed');
      }
  }
  return log;
}

function randomSpans(random: Random, log: readonly Entry[]): Span[] {
  const spans: Span[] = [];
  for (let next = random.pick([1, 40]); next <= log.length; ) {
    const to = Math.min(log.length - random.pick([0, 0, 4]), next + random.int(1, log.length));
    if (to < next) break;
    spans.push({ from: next, to, amendedTo: log.length });
    next = to + random.int(2, 150);
  }
  return spans.length > 0 ? spans : [{ from: 1, to: 1, amendedTo: log.length }];
}
