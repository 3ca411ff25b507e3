import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { UserDatabase } from '../../../web/db/userDatabase.ts';
import { discard, edit as editText, removeMessage } from '../../../web/outbox/amendText.ts';
import type { Verdict } from '../../../web/outbox/appendBatch.ts';
import { applyVerdicts } from '../../../web/outbox/applyVerdicts.ts';
import { recoverUnanswered } from '../../../web/outbox/markBatch.ts';
import { countReads } from '../db/countReads.ts';
import { emptyDatabase, queue } from '../log/storedLog.ts';
import { me } from '../log/syncBench.ts';
import { edit, key, parked, ROOM, text } from './support.ts';

const QUEUED = 2_000;
let db: UserDatabase;
let reads: () => number;

beforeEach(async () => {
  db = emptyDatabase(me);
  const texts = Array.from({ length: QUEUED }, (_, i) => text(i + 1));
  await queue(db, [parked(texts[0]!), ...texts.slice(1), edit(QUEUED + 1, 2), edit(QUEUED + 2, 3)]);
  reads = countReads();
});

afterEach(() => {
  db.close();
  vi.restoreAllMocks();
});

const change = (target: number) => ({
  room: ROOM,
  target: key(target),
  targetOffset: undefined,
  key: key(9_999),
  at: 1,
});

const store = (...verdicts: Verdict[]) => applyVerdicts(db, me, verdicts, () => key(9_998));

const works: [what: string, work: () => Promise<unknown>][] = [
  ['acknowledged', () => store({ type: 'acknowledged', clientOffset: key(2), serverOffset: 1, at: 1 })],
  [
    'refused',
    () => store({ type: 'refused', clientOffset: key(2), error: { code: 'forbidden', message: 'no' } }),
  ],
  ['edited', () => editText(db, me, change(2), 'other')],
  ['deleted', () => removeMessage(db, me, change(2))],
  ['given up', () => discard(db, key(1), key(9_999), 1)],
  ['left behind by a tab that is gone', () => recoverUnanswered(db)],
];

test.each(works)('O2 where one of two thousand that wait is %s, the others are not read', async (_, work) => {
  expect(await work()).not.toBe(false);
  expect(reads()).toBeLessThanOrEqual(10);
});
