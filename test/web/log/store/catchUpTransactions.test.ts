import { afterEach, expect, test, vi } from 'vitest';
import type { Entry } from '../../../../shared/entry.ts';
import type { Clock } from '../../../../web/db/clock.ts';
import type { UserDatabase } from '../../../../web/db/userDatabase.ts';
import { applyFrames, type ReceivedRun, storeWelcome } from '../../../../web/log/store/applyFrames.ts';
import { type LogVersion, StaleLogError } from '../../../../web/log/store/generation.ts';
import { PUTS_AT_ONCE, STORE_GROUP_ENTRIES, STORE_SLICE_MS } from '../../../../web/records/pageLimits.ts';
import { newRow, type Row } from '../../../../web/records/row.ts';
import { countTransactions } from '../../db/countTransactions.ts';
import { createFakeClock } from '../../db/fakeClock.ts';
import { mint } from '../../state/modelServer.ts';
import { userOf, welcomeOf } from '../../welcome.ts';
import { emptyDatabase } from '../storedLog.ts';

afterEach(() => void vi.restoreAllMocks());

const [me, lin] = [mint(), mint()];
const MISSED = 190;
const ROOMS = Array.from({ length: 20 }, () => mint());

const text = (serverOffset: number, author = lin): Entry => ({
  serverOffset,
  author,
  clientOffset: mint(),
  at: serverOffset,
  kind: 'text',
  body: `text ${serverOffset}`,
});

/** What was missed of a room, in one frame, with a name. */
function missedIn(room: string, author = lin): ReceivedRun {
  const entries = Array.from({ length: MISSED }, (_, i) => text(i + 1, i === 7 ? author : lin));
  const run = { room, entries, amendments: [], amendedTo: MISSED, opens: true };
  return { run, users: { [lin]: { name: 'Lin', rev: 1 } } };
}

const room = (id: string) =>
  ({ id, kind: 'public', name: id, head: 0, from: 1, readUpTo: 0, members: 2 }) as const;

async function withRooms(rooms = ROOMS): Promise<{ db: UserDatabase; version: LogVersion }> {
  const db = emptyDatabase(me);
  const version = { epoch: 'a', generation: 0 };
  await storeWelcome(db, welcomeOf(userOf(me, 'Mika'), rooms.map(room), { epoch: 'a' }), undefined, version);
  return { db, version };
}

/** Applies all, in as many transactions as it takes. */
async function applyAll(
  db: UserDatabase,
  received: readonly ReceivedRun[],
  version: LogVersion,
  clock: Pick<Clock, 'ticks'>,
) {
  let count = 0;
  while (count < received.length)
    count += (await applyFrames(db, me, received.slice(count), version, clock)).applied.length;
}

test('O1 S1 a catch-up of 20 rooms is stored without the outbox in the scope, its requests issued together', async () => {
  const { db, version } = await withRooms();
  const transactions = countTransactions();
  await applyAll(
    db,
    ROOMS.map((id) => missedIn(id)),
    version,
    createFakeClock(),
  );
  const [only, ...more] = transactions();
  expect(more).toEqual([]); // the clock stands still
  expect(only!.stores).not.toContain('rows');
  expect(only!.durability).toBe('relaxed');
  expect(only!.requests).toBeGreaterThan(ROOMS.length * MISSED);
  const groups = Math.ceil(ROOMS.length / Math.ceil(STORE_GROUP_ENTRIES / MISSED));
  expect(only!.rounds).toBeLessThanOrEqual(8 * groups + 6);
  // in one task, of the two rooms of a group: a slow phone answers no finger meanwhile
  expect(only!.mostPending).toBeLessThanOrEqual(2 * (PUTS_AT_ONCE + 4));
  const spans = await db.read(['logSpans'], (tx) => tx.objectStore('logSpans').getAll());
  expect(spans.map(({ from, to }) => [from, to])).toEqual(ROOMS.map(() => [1, MISSED]));
  db.close();
});

test('O1 S1 a catch-up is stored in transactions of limited time; between two of them the spans cover what is stored', async () => {
  const { db, version } = await withRooms();
  let asked = 0;
  const slow = { ticks: () => (asked++ % 2 === 0 ? 0 : STORE_SLICE_MS) }; // each group takes as long as a transaction may
  const transactions = countTransactions();
  const received = ROOMS.map((id) => missedIn(id));
  let count = 0;
  while (count < received.length) {
    const { applied } = await applyFrames(db, me, received.slice(count), version, slow);
    count += applied.length;
    const { log, spans } = await db.read(['log', 'logSpans'], async (tx) => ({
      log: await tx.objectStore('log').count(),
      spans: await tx.objectStore('logSpans').getAll(),
    }));
    expect(spans.reduce((sum, { from, to }) => sum + to - from + 1, 0)).toBe(log);
    expect(log).toBe(count * MISSED);
  }
  const writes = transactions().filter(({ mode }) => mode === 'readwrite');
  expect(writes).toHaveLength(ROOMS.length / Math.ceil(STORE_GROUP_ENTRIES / MISSED));
  db.close();
});

test('O3 only the transaction of a run whose row is there has the outbox in its scope, and settles the row', async () => {
  const [first, own, last] = ROOMS as [string, string, string];
  const { db, version } = await withRooms([first, own, last]);
  const received = [missedIn(first), missedIn(own, me), missedIn(last, me)]; // the last from another device
  const { clientOffset } = received[1]!.run.entries[7]!;
  await db.write(['rows'], async (tx) => {
    const item = { kind: 'text', body: 'text 8', room: own, clientOffset, at: 1 };
    await tx.objectStore('rows').add(newRow(item) as Row);
  });
  const transactions = countTransactions();
  await applyAll(db, received, version, createFakeClock());
  const writes = transactions().filter(({ mode }) => mode === 'readwrite');
  expect(writes.map(({ stores }) => stores.includes('rows'))).toEqual([false, true, false]);
  expect(await db.read(['rows'], (tx) => tx.objectStore('rows').count())).toBe(0);
  db.close();
});

test('S1 each transaction of a catch-up checks the generation: after another tab deleted a log, no other run is stored', async () => {
  const { db, version } = await withRooms();
  const received = ROOMS.map((id) => missedIn(id));
  const { applied } = await applyFrames(db, me, received.slice(0, 1), version, createFakeClock());
  expect(applied).toHaveLength(1);
  await db.write(['meta'], (tx) => tx.objectStore('meta').put('9', 'generation'));
  await expect(applyFrames(db, me, received.slice(1), version, createFakeClock())).rejects.toThrow(
    StaleLogError,
  );
  expect(await db.read(['log'], (tx) => tx.objectStore('log').count())).toBe(MISSED);
  db.close();
});

test('S1 O4 a restored log is detected without the outbox in the scope, and deleted in a transaction that has it', async () => {
  const [id] = ROOMS as [string];
  const { db, version } = await withRooms([id]);
  await applyAll(db, [missedIn(id)], version, createFakeClock());
  await db.write(['rows'], async (tx) => {
    const item = {
      kind: 'edit',
      body: 'other',
      room: id,
      clientOffset: mint(),
      at: 1,
      target: 'x',
      targetOffset: 3,
    };
    await tx.objectStore('rows').add(newRow(item) as Row);
  });
  const transactions = countTransactions();
  await applyAll(db, [missedIn(id)], version, createFakeClock()); // other keys at the same offsets
  expect(transactions().map(({ stores }) => stores.includes('rows'))).toEqual([false, true]);
  const [row] = await db.read(['rows'], (tx) => tx.objectStore('rows').getAll());
  expect(row).not.toHaveProperty('targetOffset');
  expect(version.generation).toBe(1);
  db.close();
});

test('O1 a welcome of 500 rooms is stored without the outbox in the scope, in a few waits', async () => {
  const rooms = Array.from({ length: 500 }, () => room(mint()));
  const { db, version } = await withRooms([]);
  const transactions = countTransactions();
  const welcome = welcomeOf(userOf(me, 'Mika'), rooms, { epoch: 'a' });
  await storeWelcome(db, welcome, undefined, version);
  const [only, ...more] = transactions();
  expect(more).toEqual([]);
  expect(only!.stores).toEqual(['logSpans', 'marks', 'meta', 'rooms', 'users']);
  expect(only!.rounds).toBeLessThanOrEqual(16);
  expect(await db.read(['rooms'], (tx) => tx.objectStore('rooms').count())).toBe(500);
  db.close();
});
