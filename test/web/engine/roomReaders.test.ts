/** How far others have read, as the page keeps it: with a fake connection and clock. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { READERS_MAX_MEMBERS } from '../../../shared/limits.ts';
import type { Down } from '../../../shared/protocol/index.ts';
import type { UserDatabase } from '../../../web/db/userDatabase.ts';
import { createRoomReaders, type RoomReaders } from '../../../web/engine/roomReaders.ts';
import { storeWelcome } from '../../../web/log/store/applyFrames.ts';
import { forgetLog } from '../../../web/log/store/deleteLogs.ts';
import { SYNC_STORES } from '../../../web/log/store/storeEntries.ts';
import type { Change } from '../../../web/records/change.ts';
import { readByAll } from '../../../web/records/storedRecords.ts';
import { createFakeClock, type FakeClock } from '../db/fakeClock.ts';
import { turns, until } from '../db/until.ts';
import { emptyDatabase, holdOf } from '../log/storedLog.ts';
import { lin, me, text } from '../log/syncBench.ts';
import { ROOM } from '../outbox/support.ts';
import { mint } from '../state/modelServer.ts';
import { userOf, welcomeOf } from '../welcome.ts';

const [osei, xu] = [mint(), mint()];
let db: UserDatabase;
let clock: FakeClock;
let readers: RoomReaders;
let answer: Record<string, number>;
let setting: { hiding?: string[]; hidden?: true };
let asked: number;
/** Held back until it is resolved. */
let gate: Promise<void>;
let changes: Change[];
let isAway: boolean;

beforeEach(async () => {
  db = emptyDatabase(me);
  clock = createFakeClock();
  answer = { [me]: 5, [lin]: 3, [osei]: 2 };
  setting = {};
  asked = 0;
  gate = Promise.resolve();
  changes = [];
  isAway = false;
  await db.write(['meta'], (tx) => tx.objectStore('meta').put('one', 'epoch'));
  await holdOf(
    db,
    [1, 2, 3, 4, 5].map((offset) => text(offset, 'mine', me)),
    [{ from: 1, to: 5, amendedTo: 5 }],
  );
  readers = createRoomReaders({
    db,
    me,
    clock,
    opened: () => ROOM,
    changed: (change) => changes.push(change),
    connection: () => ({
      ask: (async () => {
        asked++;
        const given = { readers: { ...answer }, ...setting };
        await gate;
        if (isAway) return { ok: false, error: { code: 'unavailable', message: '' } };
        const users = { [lin]: { name: 'Lin', rev: 0 } };
        return { ok: true, epoch: 'one', ...given, users };
      }) as never,
    }),
  });
});
afterEach(() => {
  readers.down();
  db.close();
});

const room = async () => (await db.read(['rooms'], (tx) => tx.objectStore('rooms').get(ROOM)))!;
const upTo = async () => readByAll(await room(), me);
const untilAll = (expected: number) =>
  until(`all have read ${expected}`, async () => (await upTo()) === expected);
const frame = (told: Record<string, number>) =>
  readers.received({ event: 'readers', payload: { room: ROOM, readers: told } });
const joined = (author: string) =>
  readers.received({
    event: 'entries',
    payload: {
      room: ROOM,
      entries: [{ serverOffset: 6, author, clientOffset: mint(), at: 6, kind: 'join' }],
      users: {},
    },
  } as Down);

test('all have read up to the least marker of the others; frames raise it, and it is kept for a start without a network', async () => {
  readers.live();
  await untilAll(2);
  frame({ [osei]: 4 });
  await untilAll(3);
  frame({ [osei]: 1, [lin]: 5, [me]: 9 });
  await untilAll(4);
  expect(changes.filter(({ type }) => type === 'readers')).toHaveLength(3);
  expect(asked).toBe(1);
  readers.down();
  expect(await readers.of(ROOM, 5)).toEqual({ read: ['Lin'], reached: [], unread: [''], hiding: [] });
  expect(await readers.of(ROOM, 5, [lin, osei])).toMatchObject({ read: ['Lin'], reached: [''], unread: [] });
  const about = { id: ROOM, kind: 'public', name: 'Lobby', from: 6, readUpTo: 5, members: 3 } as const;
  await storeWelcome(db, welcomeOf(userOf(me, 'me'), [{ ...about, head: 5 }], { epoch: 'one' }));
  expect(await upTo()).toBe(4);
});

test('nobody knows that all have read while one hides it, and who hides is not among those who have not read', async () => {
  readers.live();
  await untilAll(2);
  answer = { ...answer, [lin]: 0 };
  setting = { hiding: [lin] };
  readers.received({ event: 'readers', payload: { room: ROOM, readers: {}, again: true } });
  await until('put off', () => clock.isSet());
  clock.pass(1_000);
  await untilAll(0);
  expect(await readers.of(ROOM, 2)).toEqual({ read: [''], reached: [], unread: [], hiding: ['Lin'] });
  frame({ [osei]: 5 });
  await until('raised', async () => (await room()).readers?.[osei] === 5);
  expect(await upTo()).toBe(0);
});

test('who hides it from now on, on any device, forgets how far the others have read', async () => {
  readers.live();
  await untilAll(2);
  answer = {};
  setting = { hidden: true };
  readers.received({ event: 'presence', payload: { again: true } });
  await until('put off', () => clock.isSet());
  clock.pass(1_000);
  await untilAll(0);
  expect(await readers.of(ROOM, 1)).toBeUndefined();
  expect((await room()).readers).toEqual({});
});

test('a frame that comes while the answer is on its way counts; one of an earlier connection does not', async () => {
  let open = () => {};
  gate = new Promise((resolve) => {
    open = resolve;
  });
  readers.live();
  await until('asked', () => asked === 1);
  frame({ [osei]: 5 });
  open();
  await untilAll(3);
  readers.down();
  frame({ [lin]: 5 });
  await turns(20);
  expect(await upTo()).toBe(3);
});

test('while it is not known who joined, nothing counts as read by all that the new member has not read', async () => {
  readers.live();
  await untilAll(2);
  joined(xu);
  frame({ [lin]: 6, [osei]: 6 });
  await turns(20);
  expect(await upTo()).toBe(2);
  answer = { ...answer, [lin]: 8, [osei]: 8 };
  clock.pass(1_000);
  await until('asked again', () => asked === 2); // the server does not know the new member yet
  await until('put off', () => clock.isSet());
  expect(await upTo()).toBe(2);
  answer = { ...answer, [xu]: 6 };
  clock.pass(1_000);
  await untilAll(6);
  expect(asked).toBe(3);
});

test('where the server could not answer, the next frame of the room on the screen asks again', async () => {
  isAway = true;
  readers.live();
  await until('asked', () => asked === 1);
  await turns(20);
  isAway = false;
  frame({ [osei]: 5 });
  clock.pass(1_000);
  await untilAll(2);
  expect(asked).toBe(2);
});

test('what the server knows no more after a restore is forgotten with the log', async () => {
  readers.live();
  await untilAll(2);
  await db.write([...SYNC_STORES], (tx) => forgetLog(tx, ROOM));
  frame({ [lin]: 9, [osei]: 9 });
  await turns(20);
  expect(await upTo()).toBe(0);
  expect((await room()).readers).toBeUndefined();
});

test('nothing is asked or said in a large room, and nothing is read by all where one is alone', async () => {
  await db.write(['rooms'], async (tx) => {
    const stored = (await tx.objectStore('rooms').get(ROOM))!;
    await tx.objectStore('rooms').put({ ...stored, members: READERS_MAX_MEMBERS + 1, readers: { [lin]: 5 } });
  });
  readers.live();
  await turns(20);
  expect(asked).toBe(0);
  expect(await readers.of(ROOM, 1)).toBeUndefined();
  expect(readByAll({ readers: { [me]: 5 } }, me)).toBe(0);
});
