import { expect, test } from 'vitest';
import type { Entry } from '../../../../shared/entry.ts';
import { DatabaseClosed } from '../../../../web/db/resilientDatabase.ts';
import {
  LEGACY_LOG_STORES,
  LOG_STORES,
  openUserDatabase,
  type UserDatabase,
} from '../../../../web/db/userDatabase.ts';
import { applyFrame } from '../../../../web/log/store/applyFrames.ts';
import { deleteStoredLogs } from '../../../../web/log/store/deleteLogs.ts';
import { readGeneration, StaleLogError } from '../../../../web/log/store/generation.ts';
import { DELETE_SLICE_ENTRIES } from '../../../../web/records/pageLimits.ts';
import { newRow, type Row } from '../../../../web/records/row.ts';
import { createFakeClock } from '../../db/fakeClock.ts';
import { key } from '../../outbox/support.ts';

import 'fake-indexeddb/auto';

const me = 'mika';
const STORES = [...LOG_STORES, ...LEGACY_LOG_STORES, 'rooms', 'users', 'rows', 'drafts', 'marks', 'meta'];
/** Three times in the database: of one room in the stores of version 3 too. */
const LONG = 0.6 * DELETE_SLICE_ENTRIES;

const text = (serverOffset: number): Entry => ({
  serverOffset,
  author: 'lin',
  clientOffset: key(serverOffset),
  at: 1,
  kind: 'text',
  body: 'secret',
});

/** Two long rooms, one of them partly in the stores of version 3; a room with a row, one with a draft. */
async function filled(): Promise<UserDatabase> {
  const db = openUserDatabase(new IDBFactory(), createFakeClock(), me);
  await db.write(STORES as 'log'[], async (tx) => {
    const put = (name: string, value: object, at?: string) =>
      void tx.objectStore(name as 'drafts').put(value as never, at as never);
    for (let n = 1; n <= LONG; n++) put('entries', { ...text(n), room: 'a' });
    put('spans', { room: 'a', from: 1, to: LONG, amendedTo: 2 * LONG });
    for (const room of ['a', 'b']) {
      for (let n = LONG + 1; n <= 2 * LONG; n++) put('log', { ...text(n), room, line: n });
      put('logSpans', { room, from: LONG + 1, to: 2 * LONG, amendedTo: 2 * LONG });
      put('detached', { ...text(3 * LONG), room });
    }
    for (const id of ['a', 'b', 'draft', 'row'])
      put('rooms', { id, kind: 'public', name: `secret ${id}`, head: 1, readUpTo: 0, members: 2 });
    put('users', { id: 'lin', name: 'secret Lin', rev: 3 });
    const item = { kind: 'text', body: 'mine', room: 'row', clientOffset: key('w'), at: 1 };
    put('rows', { ...(newRow(item) as Row), seq: 1 });
    put('drafts', { room: 'draft', text: 'about' });
    put('marks', { room: 'a', upTo: 2, told: false });
    put('meta', 'epoch-1' as never, 'epoch');
    put('meta', '3' as never, 'usersUpTo');
  });
  return db;
}

/** Room a has a log of two slices again. */
async function fillAgain(db: UserDatabase): Promise<void> {
  await db.write(['log', 'logSpans'], async (tx) => {
    for (let n = 2 * LONG + 1; n <= 3 * LONG; n++)
      void tx.objectStore('log').put({ ...text(n), room: 'a', line: n });
    await tx.objectStore('logSpans').put({ room: 'a', from: LONG + 1, to: 3 * LONG, amendedTo: 3 * LONG });
  });
}

async function all(db: UserDatabase): Promise<Record<string, unknown[]>> {
  return db.read(STORES as 'log'[], async (tx) => {
    const read = await Promise.all(STORES.map((name) => tx.objectStore(name as 'log').getAll()));
    return Object.fromEntries(STORES.map((name, i) => [name, read[i] as unknown[]]));
  });
}

function stopsAfter(db: UserDatabase, count: number): UserDatabase {
  let left = count;
  return {
    ...db,
    async write(stores, work) {
      if (left-- === 0) throw new DatabaseClosed();
      return db.write(stores, work);
    },
  };
}

/** The offsets of a room that the spans cover, and those that are stored. */
async function heldBy(db: UserDatabase, names: typeof LOG_STORES | typeof LEGACY_LOG_STORES, room: string) {
  const stored = await all(db);
  const ofRoom = (name: string) => (stored[name] as { room: string }[]).filter((each) => each.room === room);
  return {
    covered: (ofRoom(names[1]) as unknown as { from: number; to: number }[]).flatMap(({ from, to }) =>
      Array.from({ length: to - from + 1 }, (_, i) => from + i),
    ),
    stored: (ofRoom(names[0]) as unknown as Entry[]).map((entry) => entry.serverOffset),
  };
}

test('O4 a sign-out deletes all logs and names, and never rows, drafts, read markers, or the rooms in which they are', async () => {
  const db = await filled();
  const before = await all(db);
  await deleteStoredLogs(db);
  const after = await all(db);
  for (const name of ['rows', 'drafts', 'marks']) expect(after[name], name).toEqual(before[name]);
  for (const name of [...LOG_STORES, ...LEGACY_LOG_STORES, 'users']) expect(after[name], name).toEqual([]);
  expect(after.rooms).toMatchObject([{ id: 'draft' }, { id: 'row' }]);
  expect(after.meta).toContain('epoch-1');
  expect(after.meta).not.toContain('3');
  db.close();
});

test('S1 S3 logs are deleted in slices, the oldest first: killed after any of them, the spans cover what is left', async () => {
  const db = await filled();
  let sizes = [Number.POSITIVE_INFINITY];
  for (let isOver = false; !isOver; ) {
    isOver = await deleteStoredLogs(stopsAfter(db, 1)).then(
      () => true,
      () => false,
    );
    for (const [names, room, first] of [
      [LEGACY_LOG_STORES, 'a', 1],
      [LOG_STORES, 'a', LONG + 1],
      [LOG_STORES, 'b', LONG + 1],
    ] as const) {
      const { covered, stored } = await heldBy(db, names, room);
      expect(covered).toEqual(stored);
      if (stored.length > 0) expect(stored.at(-1)).toBe(first + LONG - 1);
    }
    const { log, entries, detached } = await all(db);
    const size = log!.length + entries!.length;
    expect(sizes.at(-1)! - size <= DELETE_SLICE_ENTRIES || sizes.length === 1).toBe(true);
    if (size > 0) expect(detached).toHaveLength(2); // amendments stay as long as a target may
    sizes = [...sizes, size];
    if (size === 0) isOver = true;
  }
  expect(sizes).toHaveLength(4); // at first, and after the slices: of the old stores, of the new ones, the rest
  await deleteStoredLogs(db);
  expect(JSON.stringify({ ...(await all(db)), rooms: [] })).not.toContain('secret');
  db.close();
});

test('S1 from the first slice on, another tab stores no frame of the deleted logs', async () => {
  const db = await filled();
  const version = { epoch: 'epoch-1', generation: await db.read(['meta'], readGeneration) };
  await expect(deleteStoredLogs(stopsAfter(db, 1))).rejects.toThrow(DatabaseClosed);
  const run = { room: 'b', entries: [text(2 * LONG + 1)], amendments: [], amendedTo: 2 * LONG + 1 };
  await expect(applyFrame(db, me, { ...run, opens: false }, {}, version)).rejects.toThrow(StaleLogError);
  db.close();
});

test('S1 a restored log of many entries is deleted in slices, before the new one is stored', async () => {
  const db = await filled();
  const version = { epoch: 'epoch-1', generation: await db.read(['meta'], readGeneration) };
  const other = { ...text(2 * LONG), clientOffset: key('another') };
  const run = { room: 'a', entries: [other], amendments: [], amendedTo: 2 * LONG, opens: false };
  await expect(applyFrame(stopsAfter(db, 2), me, run, {}, version)).rejects.toThrow(DatabaseClosed);
  const left = await heldBy(db, LOG_STORES, 'a');
  expect(left.covered).toEqual(left.stored);
  expect(left.stored).toHaveLength(LONG); // those of the old stores are deleted
  expect(version.generation).toBe(await db.read(['meta'], readGeneration));
  const early = { ...run, entries: [{ ...text(LONG + 1), clientOffset: key('early') }], opens: true };
  await fillAgain(db);
  expect(await applyFrame(db, me, early, {}, version)).toMatchObject({ stored: true, isRestored: true });
  expect(await heldBy(db, LOG_STORES, 'a')).toEqual({ covered: [LONG + 1], stored: [LONG + 1] });
  expect((await heldBy(db, LOG_STORES, 'b')).stored).toHaveLength(LONG);
  db.close();
});
