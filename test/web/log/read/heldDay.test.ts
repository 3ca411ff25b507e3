import 'fake-indexeddb/auto';
import { beforeEach, expect, test } from 'vitest';
import type { Entry } from '../../../../shared/entry.ts';
import { LOG_STORES, openUserDatabase, type UserDatabase } from '../../../../web/db/userDatabase.ts';
import { findHeldDay } from '../../../../web/log/read/heldDay.ts';
import { applyFrame } from '../../../../web/log/store/applyFrames.ts';
import { dayOf } from '../../../../web/view/sheet/DaySheet.tsx';
import { createFakeClock } from '../../db/fakeClock.ts';
import { key } from '../../outbox/support.ts';
import { mint } from '../../state/modelServer.ts';

const ROOM = 'lobby';
const me = mint();
let db: UserDatabase;

const entry = (serverOffset: number, at: number, content: object = { kind: 'text', body: 'x' }): Entry =>
  ({ serverOffset, author: mint(), clientOffset: key(serverOffset), at, ...content }) as Entry;

/** Every entry `n` has the time 10 × n; the entries of `joins` are no messages. */
async function hold(from: number, to: number, joins: readonly number[] = []): Promise<void> {
  const entries = Array.from({ length: to - from + 1 }, (_, i) => from + i).map((n) =>
    entry(n, 10 * n, joins.includes(n) ? { kind: 'join' } : undefined),
  );
  await applyFrame(db, me, { room: ROOM, entries, amendments: [], amendedTo: to, opens: true }, {});
}

const find = (from: number, to: number) =>
  db.read(['rooms', ...LOG_STORES], (tx) => findHeldDay(tx, ROOM, from, to));

beforeEach(async () => {
  db = openUserDatabase(indexedDB, createFakeClock(), mint());
  await db.write(['rooms'], (tx) =>
    tx.objectStore('rooms').put({ id: ROOM, kind: 'public', name: '', head: 100, readUpTo: 0, members: 2 }),
  );
});

test('the first message of a time is found in a span that has an entry before it', async () => {
  await hold(41, 100, [52, 53]);
  expect(await find(500, 600)).toEqual({ serverOffset: 50 });
  expect(await find(511, 600)).toEqual({ serverOffset: 54 });
  expect(await find(511, 535)).toEqual({ serverOffset: undefined });
  expect(await find(1_000, 1_001)).toEqual({ serverOffset: 100 });
  expect(await find(1_001, 2_000)).toEqual({ serverOffset: undefined });
});

test('where the time begins in a hole, or ends there without a message before, what is held does not say', async () => {
  await hold(41, 60, [59, 60]);
  expect(await find(100, 500)).toBeUndefined();
  expect(await find(410, 420)).toBeUndefined(); // 40 may have the same time
  expect(await find(581, 700)).toBeUndefined();
  expect(await find(700, 800)).toBeUndefined();
  await hold(80, 100);
  expect(await find(801, 805)).toEqual({ serverOffset: undefined });
  expect(await find(700, 800)).toBeUndefined();
});

test('the first entry of the log has none before it', async () => {
  await hold(1, 5);
  expect(await find(0, 100)).toEqual({ serverOffset: 1 });
});

test('a day is that of the reader’s clock, from midnight to midnight', () => {
  const [from, to] = dayOf('2026-03-29')!;
  expect(new Date(from).toString()).toContain('Mar 29 2026 00:00:00');
  expect(new Date(to).toString()).toContain('Mar 30 2026 00:00:00');
  for (const none of ['', '2026-03', 'yesterday', '0000-00-00', '1950-01-01'])
    expect(dayOf(none)).toBeUndefined();
});
