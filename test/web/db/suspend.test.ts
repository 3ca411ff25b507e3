import { expect, test } from 'vitest';
import { openUserDatabase } from '../../../web/db/userDatabase.ts';
import { enqueue } from '../../../web/outbox/enqueue.ts';
import { key, ROOM } from '../outbox/support.ts';
import { createFakeClock } from './fakeClock.ts';
import { turns } from './until.ts';

import 'fake-indexeddb/auto';

function openTab(indexedDB: IDBFactory) {
  const db = openUserDatabase(indexedDB, createFakeClock(), 'u');
  const write = (n: number) =>
    enqueue(db, { kind: 'text', body: `${n}`, room: ROOM, clientOffset: key(n), at: n });
  const written = async () =>
    (await db.read(['rows'], (tx) => tx.objectStore('rows').getAll())).map((row) => row.at);
  return { db, write, written };
}

test('S5 a page that is frozen in a transaction blocks no other tab; the transaction runs once after the thaw', async () => {
  const indexedDB = new IDBFactory();
  const [frozen, other] = [openTab(indexedDB), openTab(indexedDB)];
  await frozen.write(1);
  let asked = 0;
  const held = frozen.db.write(['rows'], async (tx) => {
    asked++;
    while (frozenNow) await tx.objectStore('rows').count(); // as if frozen: the transaction never ends
    await tx.objectStore('rows').delete(1);
  });
  let frozenNow = true;
  await turns();
  frozen.db.suspend();
  const asleep = frozen.write(3);
  await other.write(2);
  expect(await other.written()).toEqual([1, 2]);

  frozenNow = false;
  frozen.db.resume();
  await held;
  await asleep;
  expect(asked).toBe(2);
  expect(await frozen.written()).toEqual([2, 3]);
  for (const { db } of [frozen, other]) db.close();
});

test('S5 a newer version of the app does not wait for a frozen page', async () => {
  const indexedDB = new IDBFactory();
  const frozen = openTab(indexedDB);
  await frozen.write(1);
  frozen.db.suspend();
  const deleting = indexedDB.deleteDatabase('holdfast:u');
  const blocked = await new Promise((resolve) => {
    deleting.onblocked = () => resolve(true);
    deleting.onsuccess = () => resolve(false);
  });
  expect(blocked).toBe(false);
  frozen.db.close();
});

test('O4 a database that is closed while the page is frozen leaves no caller waiting', async () => {
  const frozen = openTab(new IDBFactory());
  await frozen.write(1);
  frozen.db.suspend();
  const asleep = frozen.write(2);
  frozen.db.close();
  await expect(asleep).rejects.toThrow('the database was closed');
});
