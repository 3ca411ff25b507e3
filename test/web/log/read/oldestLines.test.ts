/** When the window knows that it shows the oldest stored line. Cases found by the simulation (test/web/simulation). */
import { expect, test } from 'vitest';
import type { Entry } from '../../../../shared/entry.ts';
import { anchorOlder } from '../../../../web/log/read/moveWindow.ts';
import { AT_NEWEST, readWindow, type Window } from '../../../../web/log/read/window.ts';
import {
  WINDOW_MAX_LINES,
  WINDOW_PAGE_LINES,
  WINDOW_STEP_LINES,
} from '../../../../web/records/pageLimits.ts';
import { ROOM } from '../../outbox/support.ts';
import { emptyDatabase, holdOf } from '../storedLog.ts';
import { amend, grow, me, text } from '../syncBench.ts';

test('S3 older entries are requested when only edits are stored below a full window', async () => {
  const db = emptyDatabase(me);
  const log = textAndEdits();
  grow(log, WINDOW_MAX_LINES);
  await holdOf(db, log, [{ from: 2, to: log.length, amendedTo: log.length }]);
  const at = (window?: Window) =>
    db.read(['logSpans', 'log', 'detached'], async (tx) =>
      readWindow(tx, ROOM, window ? await anchorOlder(tx, ROOM, window, WINDOW_STEP_LINES) : AT_NEWEST, []),
    );
  let window = await at();
  for (let i = 0; i < 20 && !window.reachesOldest; i++) window = await at(window);
  expect(window.lines).toHaveLength(WINDOW_MAX_LINES);
  expect(window).toMatchObject({ reachesOldest: true, span: { from: 2 } });
});

test('S3 older entries are requested when outbox rows fill the window and no line is stored before them', async () => {
  const db = emptyDatabase(me);
  const log = textAndEdits();
  await holdOf(db, log, [{ from: 2, to: log.length, amendedTo: log.length }]);
  const queue = Array.from({ length: WINDOW_PAGE_LINES }, (_, i) => i + 1);
  const window = await db.read(['logSpans', 'log', 'detached'], (tx) =>
    readWindow(tx, ROOM, AT_NEWEST, queue),
  );
  expect(window).toMatchObject({ rows: queue, reachesOldest: true });
});

function textAndEdits(): Entry[] {
  const log = [text(1)];
  for (let i = 0; i < 40; i++) amend(log, 'edit', 1, `edit ${i}`);
  return log;
}
