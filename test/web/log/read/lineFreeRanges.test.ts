/** Entries without a line do not change what is shown, and thousands of them do not slow down a read. */
import { afterEach, expect, test, vi } from 'vitest';
import type { Entry } from '../../../../shared/entry.ts';
import { fold } from '../../../../shared/fold.ts';
import type { UserDatabase } from '../../../../web/db/userDatabase.ts';
import { anchorOlder } from '../../../../web/log/read/moveWindow.ts';
import { AT_NEWEST, readWindow, type WindowAnchor } from '../../../../web/log/read/window.ts';
import { WINDOW_STEP_LINES } from '../../../../web/records/pageLimits.ts';
import { cover, type Span, spanAt } from '../../../../web/records/spans.ts';
import { type Random, seeded } from '../../../support/random.ts';
import { seedsOf } from '../../../support/runs.ts';
import { countReads } from '../../db/countReads.ts';
import { ROOM } from '../../outbox/support.ts';
import { emptyDatabase, holdOf } from '../storedLog.ts';
import { amend, grow, text } from '../syncBench.ts';

afterEach(() => void vi.restoreAllMocks());

const STORES = ['logSpans', 'log', 'detached'] as const;

const read = (db: UserDatabase, anchor: WindowAnchor) =>
  db.read(STORES, (tx) => readWindow(tx, ROOM, anchor, []));

const spansOf = (log: readonly Entry[], from = 1): Span[] => [
  { from, to: log.length, amendedTo: log.length },
];

test.each(seedsOf('entries without a line'))(
  'S1 S3 through growth, holes and logs that are put back, what shows is what is held: seed %i',
  async (seed) => {
    const random = seeded(seed);
    const db = emptyDatabase('me');
    let log: Entry[] = [text(1)];
    for (let round = 0; round < 12; round++) {
      if (random.int(0, 3) === 0) log = log.slice(0, random.int(1, log.length)); // restored, and continues differently
      growAtRandom(log, random);
      let spans = spansOf(log, random.pick([1, 1, random.int(1, log.length)]));
      if (random.int(0, 2) === 0 && spans[0]!.from > 2)
        spans = cover(
          spans,
          { from: 1, to: random.int(1, spans[0]!.from - 1), amendedTo: log.length },
          true,
        )!;
      await holdOf(db, log, spans);
      let anchor = AT_NEWEST;
      for (let step = 0; step < 4; step++) {
        const window = await read(db, anchor);
        const lines = fold(log).filter(({ serverOffset }) => spanAt(spans, serverOffset));
        const at = lines.findIndex(({ serverOffset }) => serverOffset === window.lines[0]?.serverOffset);
        expect(window.lines).toEqual(at < 0 ? [] : lines.slice(at, at + window.lines.length));
        expect(window.reachesOldest).toBe(at <= 0);
        anchor = await db.read(STORES, (tx) => anchorOlder(tx, ROOM, window, WINDOW_STEP_LINES));
      }
    }
  },
);

test('S3 where the stored log begins with edits, each read knows that its beginning is reached', async () => {
  const log: Entry[] = [];
  grow(log, 10);
  for (let i = 0; i < 200; i++) amend(log, 'edit', 1, `edit ${i}`);
  grow(log, 20);
  const db = emptyDatabase('me');
  await holdOf(db, log, spansOf(log, 50));
  for (let look = 0; look < 2; look++)
    expect(await read(db, AT_NEWEST)).toMatchObject({ reachesOldest: true, lines: { length: 20 } });
});

test('S3 thousands of edits behind the newest lines, and between them, are not read', async () => {
  const log: Entry[] = [];
  grow(log, 200);
  for (let i = 1; i <= 5_000; i++) {
    amend(log, 'edit', 1 + (i % 100), `edit ${i}`);
    if (i % 500 === 0) grow(log, 3);
  }
  const db = emptyDatabase('me');
  await holdOf(db, log, spansOf(log));
  const count = countReads();
  expect((await read(db, AT_NEWEST)).lines).toEqual(fold(log).slice(-50));
  expect(count()).toBeLessThan(500);
  expect((await read(db, AT_NEWEST)).lines).toEqual(fold(log).slice(-50));
  amend(log, 'edit', 7, 'one more');
  await holdOf(db, log, spansOf(log));
  count();
  await read(db, AT_NEWEST);
  expect(count()).toBeLessThan(500);
});

test('S3 of thousands of edits of visible lines only the last of each is read, and a deletion wins', async () => {
  const log: Entry[] = [];
  grow(log, 50);
  for (let i = 0; i < 4_000; i++) amend(log, 'edit', 41 + (i % 5), `edit ${i}`);
  const db = emptyDatabase('me');
  await holdOf(db, log, spansOf(log));
  await read(db, AT_NEWEST);
  const count = countReads();
  expect((await read(db, AT_NEWEST)).lines).toEqual(fold(log));
  amend(log, 'delete', 42);
  await holdOf(db, log, spansOf(log));
  count();
  expect((await read(db, AT_NEWEST)).lines).toEqual(fold(log));
  expect(count()).toBeLessThan(1_200);
});

function growAtRandom(log: Entry[], random: Random): void {
  for (let parts = random.int(1, 3); parts > 0; parts--) {
    grow(log, random.pick([0, 1, 5, 60]));
    for (let run = random.pick([1, 80, 300]); run > 0; run--) {
      const texts = log.filter((entry) => entry.kind === 'text');
      amend(log, random.int(0, 40) === 0 ? 'delete' : 'edit', random.pick(texts).serverOffset, `${run}`);
    }
  }
}
