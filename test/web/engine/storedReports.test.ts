/** What a device tells the server of what it has stored: only what its database has, once, and not often. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { READERS_MAX_MEMBERS, STORED_EVERY_MS } from '../../../shared/limits.ts';
import type { UserDatabase } from '../../../web/db/userDatabase.ts';
import { createStoredReports, type StoredReports } from '../../../web/engine/storedReports.ts';
import { STORED_SOON_MS } from '../../../web/records/pageLimits.ts';
import { createFakeClock, type FakeClock } from '../db/fakeClock.ts';
import { turns, until } from '../db/until.ts';
import { emptyDatabase, holdOf } from '../log/storedLog.ts';
import { me, text } from '../log/syncBench.ts';
import { ROOM } from '../outbox/support.ts';

let db: UserDatabase;
let clock: FakeClock;
let reports: StoredReports;
let told: Record<string, [number, number]>[];
let answer: object | undefined;

beforeEach(async () => {
  db = emptyDatabase(me);
  clock = createFakeClock();
  told = [];
  answer = { ok: true, epoch: 'one' };
  await hold(3, 5);
  reports = startReports();
});
afterEach(() => {
  reports.down();
  db.close();
});

function startReports(): StoredReports {
  return createStoredReports({
    db,
    clock,
    connection: () => ({
      ask: (async (_: string, { rooms }: { rooms: Record<string, [number, number]> }) => {
        told.push(rooms);
        return answer;
      }) as never,
    }),
  });
}

/** Stores these entries, as one span. */
async function hold(from: number, to: number): Promise<void> {
  const offsets = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  await holdOf(
    db,
    offsets.map((offset) => text(offset, 'mine', me)),
    [{ from, to, amendedTo: to }],
  );
}

async function pass(ms: number): Promise<void> {
  await until('put off', () => clock.isSet());
  clock.pass(ms);
  await turns(20);
}

test('what was stored without a connection is told after the next welcome, and once, also after a restart', async () => {
  reports.stored([ROOM]); // there is no connection
  await turns(20);
  expect(clock.isSet()).toBe(false);
  reports.live();
  await pass(STORED_SOON_MS);
  expect(told).toEqual([{ [ROOM]: [3, 5] }]);
  reports.down();
  const again = startReports();
  again.live();
  await pass(STORED_SOON_MS);
  again.stored([ROOM]); // nothing that the server does not know
  await pass(STORED_SOON_MS);
  expect(told).toHaveLength(1);
  again.down();
});

test('of the newest span alone, and of each room at most once in STORED_EVERY_MS', async () => {
  reports.live();
  await pass(STORED_SOON_MS);
  await hold(9, 9); // behind a hole
  reports.stored([ROOM]);
  await pass(STORED_SOON_MS);
  expect(told).toHaveLength(1);
  await hold(9, 11);
  reports.stored([ROOM]);
  await pass(STORED_EVERY_MS);
  expect(told).toEqual([{ [ROOM]: [3, 5] }, { [ROOM]: [9, 11] }]);
});

test('a report that fails is repeated later; an older server is not asked again', async () => {
  answer = { ok: false, error: { code: 'unavailable', message: '' } };
  reports.live();
  await pass(STORED_SOON_MS);
  expect(told).toHaveLength(1);
  answer = { ok: false, error: { code: 'invalid', message: '' } };
  await pass(STORED_EVERY_MS);
  expect(told).toHaveLength(2);
  reports.stored([ROOM]);
  await turns(20);
  expect(clock.isSet()).toBe(false);
});

test('nothing is told of a large room, or of one that was left', async () => {
  const change = (what: object) =>
    db.write(['rooms'], async (tx) => {
      const room = (await tx.objectStore('rooms').get(ROOM))!;
      await tx.objectStore('rooms').put({ ...room, ...what });
    });
  for (const what of [{ members: READERS_MAX_MEMBERS + 1 }, { members: 2, left: true }] as const) {
    await change(what);
    reports.live();
    reports.stored([ROOM]);
    await pass(STORED_SOON_MS);
    expect(told).toEqual([]);
  }
});
