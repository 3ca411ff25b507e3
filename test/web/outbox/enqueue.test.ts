import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DatabaseStalled } from '../../../web/db/resilientDatabase.ts';
import { openUserDatabase, type UserDatabase } from '../../../web/db/userDatabase.ts';
import { enqueue } from '../../../web/outbox/enqueue.ts';
import { DATABASE_TIMEOUT_MS } from '../../../web/records/pageLimits.ts';
import { createFakeClock, type FakeClock } from '../db/fakeClock.ts';
import { turns } from '../db/until.ts';
import { mint } from '../state/modelServer.ts';
import { ROOM } from './support.ts';

import 'fake-indexeddb/auto';

const me = mint();
let indexedDB: IDBFactory;
let clock: FakeClock;
let db: UserDatabase;
beforeEach(() => {
  indexedDB = new IDBFactory();
  clock = createFakeClock();
  db = openUserDatabase(indexedDB, clock, me);
});
afterEach(() => {
  db.close();
  vi.restoreAllMocks();
});

const item = (body = 'Hello') => ({ kind: 'text', body, room: ROOM, clientOffset: mint(), at: 1 }) as const;
const rows = () => db.read(['rows'], (tx) => tx.objectStore('rows').getAll());
const draft = () => db.read(['drafts'], (tx) => tx.objectStore('drafts').get(ROOM));
const keep = (text: string) =>
  db.write(['drafts'], async (tx) => void (await tx.objectStore('drafts').put({ room: ROOM, text })));

/** Runs each write twice, as where the database did not answer the first time. */
function twice(between: () => Promise<unknown> = async () => {}): UserDatabase {
  return {
    ...db,
    async write(stores, work) {
      await db.write(stores, work);
      await between();
      return db.write(stores, work);
    },
  };
}

test('an own draft becomes a row in one round trip: nothing is read', async () => {
  await keep('Hel'); // what was typed since is not stored yet
  const reads = [
    vi.spyOn(IDBObjectStore.prototype, 'get'),
    vi.spyOn(IDBIndex.prototype, 'getKey'),
    vi.spyOn(IDBIndex.prototype, 'get'),
  ];
  const writing = vi.fn();
  expect(await enqueue(db, item(), { isOwnDraft: true, writing })).toBe(true);
  for (const read of reads) expect(read).not.toHaveBeenCalled();
  expect(writing).toHaveBeenCalledOnce();
  expect(await rows()).toMatchObject([{ body: 'Hello' }]);
  expect(await draft()).toBeUndefined();
});

test('O3 a write that stalls behind another tab is given up: what was reported as not stored is not stored later', async () => {
  let isOver = false;
  const other = openUserDatabase(indexedDB, createFakeClock(), me);
  const held = other.write(['rows'], async (tx) => {
    while (!isOver) await tx.objectStore('rows').count();
  });
  await turns();
  const failing = expect(enqueue(db, item(), { isOwnDraft: true })).rejects.toThrow(DatabaseStalled);
  await turns();
  clock.pass(DATABASE_TIMEOUT_MS);
  clock.pass(DATABASE_TIMEOUT_MS); // it is tried again once
  await turns();
  clock.pass(DATABASE_TIMEOUT_MS);
  await failing;
  isOver = true;
  await held;
  await turns();
  expect(await rows()).toEqual([]);
  other.close();
});

test('O3 O4 run again, it adds no second row, and leaves a draft that was written meanwhile', async () => {
  await keep('Hello');
  const isCurrentDraft = (text: string) => text === 'Hello';
  const options = { isOwnDraft: true, isCurrentDraft };
  expect(
    await enqueue(
      twice(() => keep('the next one')),
      item(),
      options,
    ),
  ).toBe(false);
  expect(await rows()).toHaveLength(1);
  expect(await draft()).toMatchObject({ text: 'the next one' });
});

test('O4 a draft that this tab did not write is deleted only if it is the text', async () => {
  const isCurrentDraft = (text: string) => text === 'Hello';
  await keep('of another tab');
  expect(await enqueue(db, item(), { isCurrentDraft })).toBe(false);
  expect(await draft()).toMatchObject({ text: 'of another tab' });
  await keep('Hello');
  expect(await enqueue(db, item(), { isCurrentDraft })).toBe(true);
  expect(await draft()).toBeUndefined();
  expect(await rows()).toHaveLength(2);
});
