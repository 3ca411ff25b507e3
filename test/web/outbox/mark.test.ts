import 'fake-indexeddb/auto';
import { expect, test } from 'vitest';
import { openUserDatabase } from '../../../web/db/schema.ts';
import { WHOLE_BATCH } from '../../../web/outbox/batch.ts';
import { mark } from '../../../web/outbox/mark.ts';
import { enqueue } from '../../../web/outbox/rows.ts';
import { createFakeClock } from '../db/fakeClock.ts';
import { mint } from '../state/modelServer.ts';
import { ROOM } from './support.ts';

test('S5 a tab whose lock was stolen while it stood still marks nothing', async () => {
  const db = openUserDatabase(new IDBFactory(), createFakeClock(), mint());
  const queue = () => enqueue(db, { kind: 'text', body: 'a', room: ROOM, clientOffset: mint(), at: 1 });
  const rows = () => db.read(['rows'], (tx) => tx.objectStore('rows').getAll());
  await queue();
  expect(await mark(db, WHOLE_BATCH, 'first', 'claim')).toMatchObject({ items: [{ body: 'a' }] });
  expect(await mark(db, WHOLE_BATCH, 'first', 'verify')).toMatchObject({ items: [{ body: 'a' }] });
  expect(await mark(db, WHOLE_BATCH, 'second', 'claim')).toMatchObject({ items: [{ body: 'a' }] });
  await queue();
  const before = await rows();
  expect(await mark(db, WHOLE_BATCH, 'first', 'verify')).toBe('not-mine');
  expect(await rows()).toEqual(before);
  expect(before[1]).toMatchObject({ attempted: false });
  db.close();
});
