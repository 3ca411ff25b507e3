import { afterEach, expect, test, vi } from 'vitest';
import type { Entry } from '../../../../shared/entry.ts';
import { fold, isLine, type Line } from '../../../../shared/fold.ts';
import { isAmendment } from '../../../../shared/kinds.ts';
import type { UserDatabase } from '../../../../web/db/userDatabase.ts';
import { anchorNewer, anchorOlder } from '../../../../web/log/read/moveWindow.ts';
import { readLastLine } from '../../../../web/log/read/readLines.ts';
import {
  AT_NEWEST,
  anchorAround,
  type Gap,
  readWindow,
  type Window,
  type WindowAnchor,
} from '../../../../web/log/read/window.ts';
import {
  WINDOW_MAX_LINES,
  WINDOW_PAGE_LINES,
  WINDOW_STEP_LINES,
} from '../../../../web/records/pageLimits.ts';
import { cover, type Span, spanAt } from '../../../../web/records/spans.ts';
import { type Random, seeded } from '../../../support/random.ts';
import { seedsOf } from '../../../support/runs.ts';
import { countReads } from '../../db/countReads.ts';
import { ROOM } from '../../outbox/support.ts';
import { emptyDatabase, holdOf } from '../storedLog.ts';
import { amend, grow, me, text } from '../syncBench.ts';

afterEach(() => void vi.restoreAllMocks());

const read = (db: UserDatabase, anchor: WindowAnchor, queue: readonly number[] = []) =>
  db.read(['logSpans', 'log', 'detached'], (tx) => readWindow(tx, ROOM, anchor, queue));

const older = (db: UserDatabase, window: Window, lines = WINDOW_STEP_LINES) =>
  db.read(['logSpans', 'log', 'detached'], (tx) => anchorOlder(tx, ROOM, window, lines));

/** The author and time of the line before the item at `at`, if that is a line and nothing is missing between them. */
function aboveOf(all: readonly (Line | number)[], at: number, spans: readonly Span[]) {
  const [above, first] = [all[at - 1], all[at]];
  if (typeof above !== 'object' || typeof first !== 'object') return undefined;
  for (let between = above.serverOffset + 1; between < first.serverOffset; between++)
    if (!spanAt(spans, between)) return undefined;
  return { author: above.author, at: above.at };
}

const whole = (log: readonly Entry[]): Span[] => [{ from: 1, to: log.length, amendedTo: log.length }];
const items = ({ lines, rows }: Pick<Window, 'lines' | 'rows'>): (Line | number)[] => [...lines, ...rows];
const counted = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

test('O3 a window holds at most 120, waiting ones included: first the newest of them', async () => {
  const log: Entry[] = [];
  grow(log, 100);
  const db = emptyDatabase(me);
  await holdOf(db, log, whole(log));
  const queue = counted(2_000);
  let window = await read(db, AT_NEWEST, queue);
  expect(items(window)).toEqual(queue.slice(-50));
  for (let i = 0; i < STEPS; i++) {
    window = await read(db, await older(db, window), queue);
    expect(items(window).length).toBeLessThanOrEqual(WINDOW_MAX_LINES);
  }
  expect(window).toMatchObject({ reachesOldest: true, anchor: { tag: 'from', from: { offset: 1 } } });
  expect(items(window)).toEqual([...fold(log), ...queue.slice(0, WINDOW_MAX_LINES - fold(log).length)]);
  for (let i = 0; i < STEPS; i++) window = await read(db, anchorNewer(window, WINDOW_STEP_LINES), queue);
  expect(window.anchor.tag).toBe('newest');
  expect(items(window)).toEqual(queue.slice(-items(window).length));
});

test('a window moves by as many lines as it is asked to', async () => {
  const log: Entry[] = [];
  grow(log, 400);
  const db = emptyDatabase(me);
  await holdOf(db, log, whole(log));
  const offsets = (window: Window) => window.lines.map(({ serverOffset }) => serverOffset);
  const upTo = (end: number, count: number) => Array.from({ length: count }, (_, i) => end - count + 1 + i);
  let window = await read(db, AT_NEWEST);
  window = await read(db, await older(db, window, 5));
  expect(offsets(window)).toEqual(upTo(400, WINDOW_PAGE_LINES + 5)); // grows first
  while (offsets(window)[0]! > 200) window = await read(db, await older(db, window));
  const end = offsets(window).at(-1)!;
  window = await read(db, await older(db, window, 7));
  expect(offsets(window)).toEqual(upTo(end - 7, WINDOW_MAX_LINES));
  window = await read(db, anchorNewer(window, 3));
  expect(offsets(window)).toEqual(upTo(end - 4, WINDOW_MAX_LINES));
});

/** More than the lines and rows of that log have. */
const STEPS = Math.ceil(2_200 / WINDOW_STEP_LINES);

test.each(seedsOf('ways through a window'))(
  'O3 S3 whatever way one goes, what shows is a slice of all there is: seed %i',
  async (seed) => {
    const random = seeded(seed);
    const db = emptyDatabase(me);
    const log = randomLog(random);
    let spans = randomSpans(random, log);
    const oddsOfLoose = (n: number) => (n > spans.at(-1)!.to ? 2 : 9);
    const loose = new Set(
      counted(log.length).filter((n) => !spanAt(spans, n) && random.int(0, oddsOfLoose(n)) === 0),
    );
    const queue = counted(random.pick([0, 0, 3, 60, 400])).map((n) => n * 2);
    const hold = () => holdOf(db, log, spans, loose);
    await hold();
    const held = () =>
      log.filter((e) => spanAt(spans, e.serverOffset) || loose.has(e.serverOffset) || amendsHeld(e));
    const amendsHeld = (entry: Entry) => isAmendment(entry) && spanAt(spans, entry.target) !== undefined;

    /** Everything that can be shown: all stored lines, and the rows after them. */
    const allAround = (): (Line | number)[] => {
      const all = held();
      return [...fold(all, all), ...queue];
    };
    const check = (window: Window) => {
      const all = allAround();
      const shown = items(window);
      expect(shown.length).toBeLessThanOrEqual(WINDOW_MAX_LINES);
      const at = shown.length === 0 ? all.length : all.findIndex((item) => same(item, shown[0]!));
      expect(shown).toEqual(all.slice(at, at + shown.length));
      if (window.reachesOldest) expect(at).toBe(0);
      expect(window.above).toEqual(aboveOf(all, at, spans));
      expect(window.gaps).toEqual(gapsIn(window, log, spans, loose, all));
      return { at, end: at + shown.length, all };
    };

    let window = await read(db, AT_NEWEST, queue);
    for (let step = 0; step < 40; step++) {
      const before = check(window);
      const back = random.int(0, 9) < (step < 25 ? 7 : 2);
      const gap = window.gaps.at(-1);
      if (back && window.olderFrom !== undefined && spanAt(spans, window.olderFrom)) {
        const from = window.olderFrom;
        spans = cover(
          spans,
          { from: Math.max(1, from - random.int(20, 200)), to: from - 1, amendedTo: log.length },
          true,
        )!;
        await hold();
        window = await read(db, window.anchor, queue);
        check(window);
      } else if (!back && gap && spanAt(spans, gap.from - 1) && random.int(0, 1) === 0) {
        const to = gap.from - 1;
        spans = cover(
          spans,
          { from: to + 1, to: Math.min(log.length, to + random.int(1, 100)), amendedTo: log.length },
          true,
        )!;
        await hold();
        window = await read(db, window.anchor, queue);
        check(window);
      } else {
        const lines = random.int(1, WINDOW_STEP_LINES);
        window = await read(db, back ? await older(db, window, lines) : anchorNewer(window, lines), queue);
        const after = check(window);
        if (back) {
          expect(after.at).toBeLessThanOrEqual(before.at);
          expect(after.end).toBeGreaterThanOrEqual(before.at); // no line in between is skipped
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

test('S3 a gap that enters the window and is filled does not push out the lines that were visible', async () => {
  const log: Entry[] = [];
  grow(log, 400);
  const db = emptyDatabase(me);
  const ends = [
    { from: 1, to: 5, amendedTo: 400 },
    { from: 201, to: 400, amendedTo: 400 },
  ];
  await holdOf(db, log, ends);
  let window = await read(db, AT_NEWEST);
  while (window.gaps.length === 0) window = await read(db, await older(db, window));
  await holdOf(db, log, whole(log));
  const offsets = (await read(db, window.anchor)).lines.map(({ serverOffset }) => serverOffset);
  expect(offsets).toEqual(expect.arrayContaining(counted(60).map((n) => n + 200)));
});

test('a room without a line can be jumped into', async () => {
  const log = [1, 2, 3].map((n): Entry => ({ ...text(n), kind: 'join' }));
  const db = emptyDatabase(me);
  await holdOf(db, log, whole(log));
  expect(await read(db, anchorAround(2), [7])).toMatchObject({
    lines: [],
    rows: [7],
    gaps: [],
    reachesOldest: true,
  });
});

test('S3 around an entry that is not stored, what is stored on both sides shows, with a gap', async () => {
  const log: Entry[] = [];
  grow(log, 300);
  const db = emptyDatabase(me);
  await holdOf(db, log, [
    { from: 1, to: 40, amendedTo: 300 },
    { from: 251, to: 300, amendedTo: 300 },
  ]);
  const window = await read(db, anchorAround(100));
  expect(window.gaps).toEqual([{ tag: 'gap', from: 41, to: 250 }]);
  expect(window.lines.map(({ serverOffset }) => serverOffset)).toEqual([
    ...counted(25).map((n) => n + 15),
    ...counted(25).map((n) => n + 250),
  ]);
  expect((await read(db, anchorAround(301))).anchor).toEqual(AT_NEWEST); // of a log that is gone
});

test('S1 an anchor in a log that was restored falls back to the newest lines', async () => {
  const log: Entry[] = [];
  grow(log, 30);
  const db = emptyDatabase(me);
  await holdOf(db, log, whole(log));
  for (const from of [{ tag: 'line', offset: 900 } as const, { tag: 'row', seq: 900 } as const])
    expect(await read(db, { tag: 'from', from, count: 100 }, [1])).toMatchObject({
      anchor: { tag: 'newest' },
      rows: [1],
    });
});

test('S3 the window says whether all amendments of its lines are stored', async () => {
  const log: Entry[] = [];
  grow(log, 300);
  const db = emptyDatabase(me);
  await holdOf(db, log, [
    { from: 1, to: 100, amendedTo: 100 },
    { from: 201, to: 300, amendedTo: 300 },
  ]);
  expect((await read(db, AT_NEWEST)).isAmended).toBe(true);
  const anchor: WindowAnchor = { tag: 'from', from: { tag: 'line', offset: 40 }, count: 50 };
  expect((await read(db, anchor)).isAmended).toBe(false);
  await holdOf(db, log, [
    { from: 1, to: 100, amendedTo: 250 },
    { from: 201, to: 300, amendedTo: 300 },
  ]);
  expect((await read(db, anchor)).isAmended).toBe(true);
});

test('the newest line is found behind thousands of edits without reading them', async () => {
  const log = [text(1), text(2, 'here', me)];
  for (let i = 0; i < 5_000; i++) amend(log, 'edit', 1, `edit ${i}`);
  const db = emptyDatabase(me);
  await holdOf(db, log, whole(log));
  const count = countReads();
  const last = () => db.read(['logSpans', 'log', 'detached'], (tx) => readLastLine(tx, ROOM));
  expect(await last()).toMatchObject({ serverOffset: 2, body: 'here' });
  amend(log, 'edit', 2, 'changed');
  expect(count()).toBeLessThan(10);
  await holdOf(db, log, whole(log));
  count();
  expect(await last()).toMatchObject({ serverOffset: 2, body: 'changed' });
  expect(count()).toBeLessThan(10);
});

test.each(seedsOf('pages over gaps'))(
  'O3 S3 from the newest to the oldest and back, all that is held shows once, with gaps where holes are: seed %i',
  async (seed) => {
    const random = seeded(seed);
    const db = emptyDatabase(me);
    const log: Entry[] = [];
    grow(log, random.pick([30, 150, 700]));
    const spans = randomSpans(random, log);
    const loose = new Set(counted(log.length).filter(() => random.int(0, 30) === 0));
    await holdOf(db, log, spans, loose);
    const plain: string[] = []; // each line, and the holes between two lines
    for (const { serverOffset } of log) {
      if (spanAt(spans, serverOffset) || loose.has(serverOffset)) plain.push(`${serverOffset}`);
      else if (plain.length > 0 && plain.at(-1) !== 'gap') plain.push('gap');
    }
    if (plain.at(-1) === 'gap') plain.pop();

    const itemsOf = (window: Window): string[] => {
      const lines = window.lines.map(({ serverOffset }) => ({ at: serverOffset, is: `${serverOffset}` }));
      const gaps = window.gaps.map(({ from }) => ({ at: from, is: 'gap' }));
      return [...lines, ...gaps].sort((a, b) => a.at - b.at).map(({ is }) => is);
    };
    const isShown = (window: Window) => {
      const shown = itemsOf(window);
      const at = plain.indexOf(shown[0]!);
      expect(shown).toEqual(plain.slice(at, at + shown.length));
      return { at, end: at + shown.length };
    };
    let window = await read(db, AT_NEWEST);
    expect(isShown(window).end).toBe(plain.length);
    for (let last = isShown(window); !window.reachesOldest; ) {
      window = await read(db, await older(db, window));
      const now = isShown(window);
      expect(now.at).toBeLessThan(last.at);
      expect(now.end).toBeGreaterThanOrEqual(last.at - 1); // a gap between two windows is in the next one
      last = now;
    }
    expect(isShown(window).at).toBe(0);
    for (let last = isShown(window); window.anchor.tag !== 'newest'; ) {
      window = await read(db, anchorNewer(window, WINDOW_STEP_LINES));
      const now = isShown(window);
      expect(now.at).toBeLessThanOrEqual(last.end);
      expect(now.end).toBeGreaterThanOrEqual(last.end);
      last = now;
    }
    expect(isShown(window).end).toBe(plain.length);
  },
);

function same(a: Line | number, b: Line | number): boolean {
  if (typeof a === 'number' || typeof b === 'number') return a === b;
  return a.serverOffset === b.serverOffset;
}

/** Texts, runs of amendments, joins, and kinds that this version does not know. */
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

/** Computed offset by offset: the holes between two lines of the window, joined, and the one after the last line. */
function gapsIn(
  { lines }: Window,
  log: readonly Entry[],
  spans: readonly Span[],
  loose: ReadonlySet<number>,
  all: readonly (Line | number)[],
): Gap[] {
  const cursor = spans.at(-1)!.to;
  const newest = all.findLast((item): item is Line => typeof item !== 'number');
  return lines.flatMap((line, i): Gap[] => {
    const isLast = line.serverOffset === newest?.serverOffset;
    const end = lines[i + 1]?.serverOffset ?? (isLast ? cursor + 1 : 0);
    const missing = log
      .map(({ serverOffset }) => serverOffset)
      .filter(
        (n) =>
          n > line.serverOffset && n < end && !spanAt(spans, n) && !(loose.has(n) && isLine(log[n - 1]!)),
      );
    return missing.length === 0 ? [] : [{ tag: 'gap', from: missing[0]!, to: missing.at(-1)! }];
  });
}
