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
