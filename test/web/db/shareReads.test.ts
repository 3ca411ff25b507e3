import { afterEach, expect, test, vi } from 'vitest';
import { getOnce } from '../../../web/db/lookups.ts';
import { shareReads } from '../../../web/db/shareReads.ts';
import { emptyDatabase } from '../log/storedLog.ts';
import { countTransactions } from './countTransactions.ts';

afterEach(() => void vi.restoreAllMocks());

test('reads of one turn share a transaction and its answers; a later one has its own', async () => {
  const db = emptyDatabase('me');
  await db.write(['users'], (tx) => tx.objectStore('users').put({ id: 'lin', name: 'Lin', rev: 1 }));
  const read = shareReads(db);
  const transactions = countTransactions();
  const nameOf = (id: string) => read(async (tx) => (await getOnce(tx, 'users', id))?.name);
  expect(await Promise.all([nameOf('lin'), nameOf('lin'), nameOf('ada')])).toEqual(['Lin', 'Lin', undefined]);
  expect(transactions()).toMatchObject([{ mode: 'readonly', requests: 2 }]);
  await db.write(['users'], (tx) => tx.objectStore('users').put({ id: 'lin', name: 'Lin R.', rev: 2 }));
  expect(await nameOf('lin')).toBe('Lin R.');
  db.close();
});

test('where one rejects, all of them reject, and later reads succeed', async () => {
  const db = emptyDatabase('me');
  const read = shareReads(db);
  const failing = read(() => Promise.reject(new TypeError('a fault')));
  const beside = read(async () => 'read');
  await expect(failing).rejects.toThrow('a fault');
  await expect(beside).rejects.toThrow('a fault');
  expect(await read(async () => 'read')).toBe('read');
  db.close();
});

test('reads that are asked for while the transaction may not begin yet share it; what is read is of then', async () => {
  const db = emptyDatabase('me');
  let begin = () => {};
  const mayBegin = new Promise<void>((resolve) => {
    begin = resolve;
  });
  db.queueBy((_, mode, __, run) => (mode === 'readonly' ? mayBegin.then(() => run()) : run()));
  const read = shareReads(db);
  const transactions = countTransactions();
  const name = () => read(async (tx) => (await getOnce(tx, 'users', 'lin'))?.name);
  const first = name();
  await new Promise((resolve) => setTimeout(resolve));
  const second = name();
  await db.write(['users'], (tx) => tx.objectStore('users').put({ id: 'lin', name: 'Lin', rev: 1 }));
  begin();
  expect(await Promise.all([first, second])).toEqual(['Lin', 'Lin']);
  expect(transactions().filter(({ mode }) => mode === 'readonly')).toMatchObject([{ requests: 1 }]);
  db.close();
});

test('where the transaction cannot begin, all of them reject, and later reads succeed', async () => {
  const db = emptyDatabase('me');
  let fails = true;
  db.queueBy((_, __, ___, run) => (fails ? Promise.reject(new TypeError('a fault')) : run()));
  const read = shareReads(db);
  await expect(read(async () => 'read')).rejects.toThrow('a fault');
  fails = false;
  expect(await read(async () => 'read')).toBe('read');
  db.close();
});
