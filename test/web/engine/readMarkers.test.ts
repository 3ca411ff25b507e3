import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { UserDatabase, UserWrite } from '../../../web/db/userDatabase.ts';
import { createReadMarkers, type ReadMarkers } from '../../../web/engine/readMarkers.ts';
import { countUnread } from '../../../web/log/read/readLines.ts';
import { forgetAllLogs, forgetLog } from '../../../web/log/store/deleteLogs.ts';
import { SYNC_STORES } from '../../../web/log/store/storeEntries.ts';
import { RETRY_MAX_MS } from '../../../web/records/pageLimits.ts';
import type { ConnectionRunner } from '../../../web/transport/connectionRunner.ts';
import { countTransactions } from '../db/countTransactions.ts';
import { createFakeClock, type FakeClock } from '../db/fakeClock.ts';
import { turns, until } from '../db/until.ts';
import { emptyDatabase, holdOf } from '../log/storedLog.ts';
import { me, text } from '../log/syncBench.ts';
import { ROOM } from '../outbox/support.ts';

let db: UserDatabase;
let clock: FakeClock;
let readMarkers: ReadMarkers;
let status: ReturnType<ConnectionRunner['status']>;
let answers: unknown[];
let asked: unknown[];
let changed: string[];

beforeEach(async () => {
  db = emptyDatabase(me);
  clock = createFakeClock();
  status = 'live';
  answers = [];
  asked = [];
  changed = [];
  const ask = async (_: string, request: unknown) => {
    asked.push(request);
    return answers.length > 0 ? answers.shift() : { ok: true };
  };
  readMarkers = createReadMarkers({
    db,
    clock,
    liveConnection: () => (status === 'live' ? { ask: ask as never } : undefined),
    changed: (rooms) => void changed.push(...rooms),
  });
  readMarkers.live();
  const log = [text(1), text(2), text(3), text(4, 'mine', me), text(5)];
  await holdOf(db, log, [{ from: 1, to: 5, amendedTo: 5 }], new Set(), 0);
});
afterEach(() => {
  readMarkers.close();
  db.close();
});

const mark = () => db.read(['marks'], (tx) => tx.objectStore('marks').get(ROOM));
const unread = () =>
  db.read(['rooms', 'marks', 'logSpans', 'log', 'detached'], async (tx) =>
    countUnread(tx, (await tx.objectStore('rooms').get(ROOM))!, me),
  );
const untilMarked = (upTo: number) => until(`read up to ${upTo}`, async () => (await mark())?.upTo === upTo);
const untilAsked = (count: number) => until('asked', () => asked.length === count);

/** A new connection, whose welcome has the server's markers. */
async function welcome(readUpTo: number): Promise<void> {
  readMarkers.down();
  await db.write(['rooms'], async (tx) => {
    const room = (await tx.objectStore('rooms').get(ROOM))!;
    await tx.objectStore('rooms').put({ ...room, readUpTo });
  });
  readMarkers.live();
}

test('a marker that the server cannot take now does not delay the others, and is sent again', async () => {
  await db.write(['marks'], async (tx) => {
    for (const room of ['a', 'b']) await tx.objectStore('marks').put({ room, upTo: 1, told: false });
  });
  answers = [{ ok: false, error: { code: 'unavailable', message: '' } }, { ok: true }];
  readMarkers.live();
  await untilAsked(2);
  expect(asked).toMatchObject([{ room: 'a' }, { room: 'b' }]);
  await until('put off', () => clock.isSet());
  clock.pass(RETRY_MAX_MS);
  await until('again', () => asked.length >= 3);
  expect(asked[2]).toMatchObject({ room: 'a' });
});

test('markers set without a network are sent once there is one, once each', async () => {
  status = 'offline';
  readMarkers.seen(ROOM, 2, 0);
  await untilMarked(2);
  expect(await unread()).toBe(2);
  readMarkers.seen(ROOM, 3, 0);
  await untilMarked(3);
  expect(asked).toEqual([]);
  status = 'live';
  await welcome(0);
  await untilAsked(1);
  await welcome(3);
  await turns();
  expect(asked).toEqual([{ room: ROOM, upTo: 3 }]);
});

test('read markers only grow', async () => {
  readMarkers.seen(ROOM, 5, 0);
  await untilAsked(1);
  readMarkers.seen(ROOM, 3, 0);
  await turns();
  expect(await mark()).toMatchObject({ upTo: 5 });
  expect(await unread()).toBe(0);
  expect(asked).toHaveLength(1);
});

test('S1 nothing is sent before a welcome is stored: the markers may be of a log that was restored', async () => {
  readMarkers.down();
  readMarkers.seen(ROOM, 2, 0);
  await untilMarked(2);
  await turns();
  expect(asked).toEqual([]);
  readMarkers.live();
  await untilAsked(1);
});

test('S1 what a view still shows of a log that was deleted meanwhile does not count as read', async () => {
  await db.write(SYNC_STORES, (tx) => forgetLog(tx, ROOM));
  readMarkers.seen(ROOM, 4, 0);
  await turns();
  expect(await mark()).toBeUndefined();
  readMarkers.seen(ROOM, 2, 1);
  await untilMarked(2);
});

test('S1 a marker is deleted with the log that it is of', async () => {
  for (const forget of [(tx: UserWrite) => forgetLog(tx, ROOM), forgetAllLogs]) {
    await db.write(['marks'], (tx) => tx.objectStore('marks').put({ room: ROOM, upTo: 3, told: false }));
    await db.write(SYNC_STORES, async (tx) => void (await forget(tx)));
    expect(await mark()).toBeUndefined();
  }
});

test('what lies between the head and an own message beyond it was not seen', async () => {
  const own = text(9, 'mine', me); // acknowledged; entries 6 to 8 are not known yet
  await db.write(['detached'], (tx) => tx.objectStore('detached').put({ ...own, room: ROOM }));
  readMarkers.seen(ROOM, 9, 0);
  await untilMarked(5);
  await untilAsked(1);
  expect(asked).toEqual([{ room: ROOM, upTo: 5 }]);
});

test('a marker is sent again after a transient error, and not after a permanent one', async () => {
  answers = [{ ok: false, error: { code: 'unavailable', message: '' } }];
  readMarkers.seen(ROOM, 2, 0);
  await until('put off', () => asked.length === 1 && clock.isSet());
  clock.pass(RETRY_MAX_MS);
  await untilAsked(2);
  answers = [{ ok: false, error: { code: 'forbidden', message: '' } }];
  readMarkers.seen(ROOM, 3, 0);
  await until('given up', async () => (await mark())?.told === true);
  readMarkers.live();
  await turns();
  expect(asked).toHaveLength(3);
});

test('a marker is one write: neither the answer to it nor its echo from the server is written', async () => {
  const transactions = countTransactions();
  readMarkers.seen(ROOM, 3, 0);
  await untilAsked(1);
  await turns();
  expect(transactions()).toMatchObject([
    { mode: 'readwrite', durability: 'relaxed', stores: ['marks', 'rooms'] },
  ]);
  expect([readMarkers.has(ROOM, 3), readMarkers.has(ROOM, 4)]).toEqual([true, false]);
  vi.restoreAllMocks();
});
