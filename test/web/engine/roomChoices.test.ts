import { afterEach, beforeEach, expect, test } from 'vitest';
import type { UserDatabase } from '../../../web/db/userDatabase.ts';
import { createRoomChoices, type RoomChoices } from '../../../web/engine/roomChoices.ts';
import { RETRY_MAX_MS } from '../../../web/records/pageLimits.ts';
import { createSummaries } from '../../../web/state/summaries.ts';
import { createFakeClock, type FakeClock } from '../db/fakeClock.ts';
import { until } from '../db/until.ts';
import { emptyDatabase, holdOf } from '../log/storedLog.ts';
import { me, text } from '../log/syncBench.ts';
import { ROOM } from '../outbox/support.ts';

let db: UserDatabase;
let clock: FakeClock;
let choices: RoomChoices;
let isLive: boolean;
let answers: unknown[];
let asked: unknown[];

beforeEach(async () => {
  db = emptyDatabase(me);
  clock = createFakeClock();
  isLive = false;
  answers = [];
  asked = [];
  const ask = async (_: string, request: unknown) => {
    asked.push(request);
    return answers.shift();
  };
  choices = createRoomChoices({
    db,
    clock,
    storage: { failed() {}, worked() {} },
    liveConnection: () => (isLive ? { ask: ask as never } : undefined),
    changed() {},
  });
  await holdOf(db, [text(1), text(2)], [{ from: 1, to: 2, amendedTo: 2 }], new Set(), 0);
});
afterEach(() => {
  choices.close();
  db.close();
});

async function shown() {
  const summaries = createSummaries(db, { id: me, name: 'Mika', rev: 0 }, () => {});
  await summaries.open();
  return summaries.list().find(({ id }) => id === ROOM)!.wishes;
}

const waiting = async () =>
  Object.entries((await db.read(['rooms'], (tx) => tx.objectStore('rooms').get(ROOM)))?.choices ?? {});
const settings = () => db.read(['rooms'], async (tx) => (await tx.objectStore('rooms').get(ROOM))?.settings);

function connect(): void {
  isLive = true;
  choices.live();
}

test('a choice without a connection holds at once, and is sent later with its age', async () => {
  expect(await choices.choose(ROOM, { muted: true })).toEqual({ ok: true });
  expect(await shown()).toMatchObject({ muted: true, pinned: false });
  clock.pass(5_000);
  answers = [{ ok: true, settings: { muted: true, rev: 4 } }];
  connect();
  await until('acknowledged', async () => (await waiting()).length === 0);
  expect(asked).toEqual([{ room: ROOM, muted: true, ago: 5_000 }]);
  expect(await settings()).toEqual({ muted: true, rev: 4 });
  expect(await shown()).toMatchObject({ muted: true });
});

test('what another device chose later holds when the answer says so', async () => {
  await choices.choose(ROOM, { pinned: true });
  answers = [{ ok: true, settings: { pinned: false, rev: 9 } }];
  connect();
  await until('acknowledged', async () => (await waiting()).length === 0);
  expect(await shown()).toMatchObject({ pinned: false });
});

test('a choice is sent again while it is not acknowledged, and given up where the server refuses it for good', async () => {
  await choices.choose(ROOM, { unread: true });
  answers = [
    undefined, // the connection is lost
    { ok: false, error: { code: 'unavailable', message: '' } },
    { ok: false, error: { code: 'forbidden', message: '' } },
  ];
  connect();
  await until('asked', () => asked.length === 1);
  expect(await waiting()).toHaveLength(1);
  connect();
  await until('asked again', () => asked.length === 2);
  await until('a retry is due', () => {
    clock.pass(RETRY_MAX_MS);
    return asked.length === 3;
  });
  await until('given up', async () => (await waiting()).length === 0);
  expect(await shown()).toMatchObject({ unread: false });
});

test('a choice made while the one before is under way is sent, too', async () => {
  let answer = (_: unknown) => {};
  answers = [new Promise((resolve) => (answer = resolve)), { ok: true, settings: { muted: false, rev: 2 } }];
  connect();
  await choices.choose(ROOM, { muted: true });
  await until('asked', () => asked.length === 1);
  clock.pass(10);
  await choices.choose(ROOM, { muted: false });
  answer({ ok: true, settings: { muted: true, rev: 1 } });
  await until('both', () => asked.length === 2);
  await until('acknowledged', async () => (await waiting()).length === 0);
  expect(asked).toMatchObject([{ muted: true }, { muted: false }]);
  expect(await shown()).toMatchObject({ muted: false });
});

test('a hidden room is out of the list until something new comes that is not muted', async () => {
  await choices.choose(ROOM, { hidden: true });
  expect(await waiting()).toMatchObject([['hidden', { value: 2 }]]);
  expect(await shown()).toMatchObject({ hidden: true });
  await db.write(['log', 'logSpans'], async (tx) => {
    await tx.objectStore('log').put({ ...text(3), room: ROOM, line: 3 });
    await tx.objectStore('logSpans').put({ room: ROOM, from: 1, to: 3, amendedTo: 3 });
  });
  expect(await shown()).toMatchObject({ hidden: false });
  await choices.choose(ROOM, { muted: true });
  expect(await shown()).toMatchObject({ hidden: true });
});
