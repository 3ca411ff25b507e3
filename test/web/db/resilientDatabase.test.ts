import { forceCloseDatabase } from 'fake-indexeddb';
import { afterEach, expect, test, vi } from 'vitest';
import { storageReason } from '../../../web/db/failure.ts';
import { DatabaseClosed, DatabaseStalled } from '../../../web/db/resilientDatabase.ts';
import { openUserDatabase } from '../../../web/db/userDatabase.ts';
import { enqueue } from '../../../web/outbox/enqueue.ts';
import { DATABASE_TIMEOUT_MS, UPGRADE_TIMEOUT_MS } from '../../../web/records/pageLimits.ts';
import { key, ROOM } from '../outbox/support.ts';
import { createFakeClock } from './fakeClock.ts';
import { turns, until } from './until.ts';

import 'fake-indexeddb/auto';

afterEach(() => void vi.restoreAllMocks());

/** An IndexedDB factory whose handles can be inspected, killed, and made to stall. */
function opened() {
  const factory = new IDBFactory();
  const handles: IDBDatabase[] = [];
  let hanging = 0;
  const late: (() => void)[] = [];
  const indexedDB = {
    open(name: string, version?: number) {
      if (hanging-- > 0) {
        const hung = {} as IDBOpenDBRequest; // calls back only when the test lets it
        late.push(() => {
          const request = factory.open(name, version);
          request.onsuccess = () => {
            Object.assign(hung, { result: request.result });
            hung.onsuccess?.(new Event('success'));
          };
        });
        return hung;
      }
      const request = factory.open(name, version);
      request.addEventListener('success', () => handles.push(request.result));
      return request;
    },
  } as IDBFactory;
  const clock = createFakeClock();
  const db = openUserDatabase(indexedDB, clock, 'u');
  const rows = () => db.read(['rows'], (tx) => tx.objectStore('rows').getAll());
  const write = (n: number) =>
    enqueue(db, { kind: 'text', body: `${n}`, room: ROOM, clientOffset: key(n), at: n });
  return { db, clock, handles, rows, write, hang: (times: number) => (hanging = times), late };
}

test('O4 a handle that the browser closed is reopened; nothing is lost or stored twice', async () => {
  const { db, handles, rows, write } = opened();
  await write(1);
  forceCloseDatabase(handles[0] as never);
  await write(2);
  await write(2);
  expect((await rows()).map((row) => row.clientOffset)).toEqual([key(1), key(2)]);
  expect(handles).toHaveLength(2);
  db.close();
});

test('O4 a database that does not answer for three seconds is reopened, and the write runs again under the same key', async () => {
  const { db, clock, rows, write, hang } = opened();
  hang(1);
  const writing = write(1);
  await turns(5);
  clock.pass(DATABASE_TIMEOUT_MS);
  await writing;
  expect(await rows()).toHaveLength(1);
  db.close();
});

test('O4 a transaction may take any time as long as its requests are answered', async () => {
  const { db, clock, rows, write } = opened();
  await write(1);
  const counted = await db.read(['rows'], async (tx) => {
    let count = 0;
    for (let i = 0; i < 20; i++) {
      count += await tx.objectStore('rows').index('room').count(ROOM);
      clock.pass(DATABASE_TIMEOUT_MS - 1);
    }
    for (let cursor = await tx.objectStore('rows').openCursor(); cursor; cursor = await cursor.continue())
      clock.pass(DATABASE_TIMEOUT_MS - 1);
    return count;
  });
  expect(counted).toBe(20);
  expect(await rows()).toHaveLength(1);
  db.close();
});

test('O4 a transaction queued behind a long one waits with it; one that is queued behind none times out', async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  const { db, clock, write, hang } = opened();
  await write(1);
  const slow = db.write(['rows'], async (tx) => {
    for (let i = 0; i < 5; i++) {
      await tx.objectStore('rows').count();
      clock.pass(DATABASE_TIMEOUT_MS - 1);
      await tx.objectStore('rows').count();
    }
  });
  const behind = write(2); // queued for more than three seconds
  await slow;
  await behind;
  db.close();
  const hung = opened();
  hung.hang(9);
  const asked: Promise<unknown>[] = [];
  for (let i = 0; i < 9; i++) {
    const one = hung.write(i);
    one.catch(() => {});
    asked.push(one);
    await turns(5);
    hung.clock.pass(DATABASE_TIMEOUT_MS / 2);
  }
  await expect(asked[0]).rejects.toThrow(DatabaseStalled);
  hung.db.close();
  hang(0);
});

test('O4 an upgrade fails ten seconds after its last event', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  for (const [ms, isGivenUp] of [
    [UPGRADE_TIMEOUT_MS - 1, false],
    [UPGRADE_TIMEOUT_MS, true],
  ] as const) {
    warn.mockClear();
    const factory = new IDBFactory();
    const older = factory.open('holdfast:u', 1);
    older.onupgradeneeded = () => older.result.createObjectStore('rows');
    await new Promise((resolve) => (older.onsuccess = resolve)); // it blocks upgrades
    let opened = 0;
    const counting = {
      open(name: string, version: number) {
        opened++;
        return factory.open(name, version);
      },
    } as IDBFactory;
    const clock = createFakeClock();
    const db = openUserDatabase(counting, clock, 'u');
    const asked = db.read(['meta'], async () => 'read').catch((error) => error);
    clock.pass(DATABASE_TIMEOUT_MS - 1);
    await until('it is blocked', () => warn.mock.calls.length > 0);
    clock.pass(ms);
    await turns();
    expect(opened).toBe(isGivenUp ? 2 : 1);
    if (isGivenUp) {
      clock.pass(DATABASE_TIMEOUT_MS); // the second one gets no event, since it is queued behind the first
      expect(await asked).toBeInstanceOf(DatabaseStalled);
    }
    older.result.close();
    db.close();
  }
});

test('O4 a write that stalls twice fails, so that the text stays in the field', async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  const { db, clock, write, hang } = opened();
  hang(2);
  const writing = write(1);
  writing.catch(() => {});
  await turns(5);
  clock.pass(DATABASE_TIMEOUT_MS);
  await turns(5);
  clock.pass(DATABASE_TIMEOUT_MS);
  await expect(writing).rejects.toThrow(DatabaseStalled);
  expect(storageReason(new DatabaseStalled())).toEqual({ code: 'storage-failed' });
  expect(storageReason(new DOMException('no room', 'QuotaExceededError'))).toEqual({ code: 'storage-full' });
  db.close();
});

test('O4 a write that was reported as failed is not carried out when the database answers later', async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  const { db, clock, rows, write, hang, late } = opened();
  hang(2);
  const writing = write(1);
  writing.catch(() => {});
  for (let i = 0; i < 2; i++) {
    await turns(5);
    clock.pass(DATABASE_TIMEOUT_MS);
  }
  await expect(writing).rejects.toThrow(DatabaseStalled);
  await write(2); // creates the stores
  for (const wake of late) wake();
  await turns();
  expect((await rows()).map((row) => row.clientOffset)).toEqual([key(2)]);
  db.close();
});

test('a failed transaction writes nothing', async () => {
  const { db, rows, write } = opened();
  await write(1);
  const failing = db.write(['rows'], async (tx) => {
    await tx.objectStore('rows').clear();
    throw new RangeError('on purpose');
  });
  await expect(failing).rejects.toThrow('on purpose');
  expect(await rows()).toHaveLength(1);
  db.close();
});

test('a database that could not be opened is opened again with the next transaction', async () => {
  const factory = new IDBFactory();
  const newer = factory.open('holdfast:u', 99);
  await new Promise((resolve) => (newer.onsuccess = resolve));
  newer.result.close();
  const db = openUserDatabase(factory, createFakeClock(), 'u');
  const read = () => db.read(['meta'], (tx) => tx.objectStore('meta').get('epoch'));
  await expect(read()).rejects.toThrow(expect.objectContaining({ name: 'VersionError' }));
  await new Promise((resolve) => (factory.deleteDatabase('holdfast:u').onsuccess = resolve));
  expect(await read()).toBeUndefined();
  db.close();
});

test('a newer version of the app in another tab can upgrade the database', async () => {
  const { db, handles, write } = opened();
  await write(1);
  handles[0]!.onversionchange!(new Event('versionchange') as never);
  expect(() => handles[0]!.transaction('rows')).toThrow();
  await write(2);
  db.close();
  await expect(write(3)).rejects.toThrow(DatabaseClosed);
});

test('O1 a write is committed with strict durability, unless it says that it is of what the server sends again', async () => {
  const transaction = vi.spyOn(IDBDatabase.prototype, 'transaction');
  const { db, write } = opened();
  await write(1);
  expect(transaction.mock.lastCall![2]).toEqual({ durability: 'strict' });
  await db.write(['rows'], async () => {}, 'relaxed');
  expect(transaction.mock.lastCall![2]).toEqual({ durability: 'relaxed' });
  db.close();
});
