import 'fake-indexeddb/auto';
import { expect, test, vi } from 'vitest';
import { LEGACY_LOG_STORES, LOG_STORES, openUserDatabase } from '../../../web/db/userDatabase.ts';
import { newRow } from '../../../web/records/row.ts';
import { key, ROOM } from '../outbox/support.ts';
import { createFakeClock } from './fakeClock.ts';
import { type Dump, dumpOf, restore } from './version3/dump.ts';
import records from './version3/records.json' with { type: 'json' };

test.each([1, 2])(
  'O4 a database of version %i with rows, drafts and spans opens with all of them',
  async (version) => {
    const indexedDB = new IDBFactory();
    const before = await fill(indexedDB, version);
    const db = openUserDatabase(indexedDB, createFakeClock(), 'u');
    const names = Object.keys(before) as (keyof typeof before)[];
    const after = await db.read(names, async (tx) =>
      Object.fromEntries(
        await Promise.all(names.map(async (name) => [name, await tx.objectStore(name).getAll()])),
      ),
    );
    expect(after).toEqual(before);
    await db.write(['marks', 'rows'], async (tx) => {
      await tx.objectStore('marks').put({ room: ROOM, upTo: 2, told: false });
      const rows = tx.objectStore('rows');
      expect(await rows.index('clientOffset').getKey(key(1))).toBe(1);
      expect(await rows.index('target').getAllKeys()).toEqual([2]);
      expect(await rows.index('target').get([ROOM, key(1)])).toEqual(before.rows[1]);
      expect(await rows.index('state').getAllKeys(['queued', ROOM])).toEqual([1, 2]);
    });
    expect(await db.read(['marks'], (tx) => tx.objectStore('marks').getAll())).toHaveLength(1);
    db.close();
  },
);

test('O4 a database of version 3 opens with new empty stores, and keeps all its records', async () => {
  const indexedDB = new IDBFactory();
  const before = records as unknown as Dump;
  await restore(before, indexedDB);
  expect(await dumpOf(indexedDB, before.name)).toEqual(before);
  const db = openUserDatabase(indexedDB, createFakeClock(), 'me'.padEnd(22, '0'));
  await db.read(['meta'], async () => {});
  db.close();
  const { version, stores } = await dumpOf(indexedDB, before.name);
  expect(version).toBe(5);
  const unshown = { name: 'unshown', keyPath: ['room', 'unshown'], unique: false };
  for (const store of before.stores)
    expect(stores).toContainEqual(
      store.name === 'rows' ? { ...store, indexes: [...store.indexes, unshown] } : store,
    );
  const added = stores.filter(({ name }) => before.stores.every((store) => store.name !== name));
  expect(added.map(({ name }) => name).sort()).toEqual([...LOG_STORES, 'reactions'].sort());
  for (const { records } of added) expect(records).toEqual([]);
});

test('an upgrade creates no index on a store that grows with the logs', async () => {
  const indexedDB = new IDBFactory();
  await restore(records as unknown as Dump, indexedDB);
  const made: string[] = [];
  const createIndex = IDBObjectStore.prototype.createIndex;
  const spy = vi.spyOn(IDBObjectStore.prototype, 'createIndex').mockImplementation(function (
    this: IDBObjectStore,
    ...of: Parameters<typeof createIndex>
  ) {
    made.push(this.name);
    return createIndex.apply(this, of);
  });
  const db = openUserDatabase(indexedDB, createFakeClock(), 'me'.padEnd(22, '0'));
  await db.read(['meta'], async () => {});
  db.close();
  spy.mockRestore();
  expect(made).toContain('log');
  for (const name of LEGACY_LOG_STORES) expect(made).not.toContain(name);
});

/** The stores as that version created them, with a record in each. */
async function fill(indexedDB: IDBFactory, version: number) {
  const entry = (serverOffset: number) => ({
    room: ROOM,
    serverOffset,
    author: 'lin',
    clientOffset: key(`e${serverOffset}`),
    at: 5,
    kind: 'text' as const,
    body: 'hello',
  });
  const contents = {
    rooms: [{ id: ROOM, kind: 'public', name: 'Lobby', head: 2, readUpTo: 1, members: 3 }],
    users: [{ id: 'lin', name: '林' }],
    rows: [
      { ...newRow({ kind: 'text', body: 'waits', room: ROOM, clientOffset: key(1), at: 1 }), seq: 1 },
      {
        ...newRow({ kind: 'edit', target: key(1), body: 'so', room: ROOM, clientOffset: key(2), at: 2 }),
        seq: 2,
      },
    ],
    entries: [entry(1), entry(2)],
    spans: [{ room: ROOM, from: 1, to: 2, amendedTo: 2 }],
    loose: [entry(9)],
    drafts: [{ room: ROOM, text: 'about tomo' }],
    meta: ['epoch-1'],
  };
  const opening = indexedDB.open('holdfast:u', version);
  opening.onupgradeneeded = () => {
    const db = opening.result;
    db.createObjectStore('rooms', { keyPath: 'id' });
    db.createObjectStore('users', { keyPath: 'id' });
    const rows = db.createObjectStore('rows', { keyPath: 'seq', autoIncrement: true });
    rows.createIndex('clientOffset', 'clientOffset', { unique: true });
    rows.createIndex('room', 'room');
    for (const name of ['entries', 'loose']) {
      const store = db.createObjectStore(name, { keyPath: ['room', 'serverOffset'] });
      store.createIndex('target', ['room', 'target']);
    }
    db.createObjectStore('spans', { keyPath: ['room', 'from'] });
    db.createObjectStore('drafts', { keyPath: 'room' });
    db.createObjectStore('meta');
    if (version > 1) db.createObjectStore('marks', { keyPath: 'room' });
  };
  await new Promise((resolve) => {
    opening.onsuccess = resolve;
  });
  const db = opening.result;
  const tx = db.transaction(Object.keys(contents), 'readwrite');
  for (const [name, values] of Object.entries(contents)) {
    for (const value of values) tx.objectStore(name).put(value, ...(name === 'meta' ? ['epoch'] : []));
  }
  await new Promise((resolve) => {
    tx.oncomplete = resolve;
  });
  db.close();
  return contents;
}
