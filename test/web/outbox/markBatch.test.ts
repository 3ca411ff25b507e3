import { expect, test } from 'vitest';
import { createTransactionQueue } from '../../../web/db/transactionQueue.ts';
import { openUserDatabase } from '../../../web/db/userDatabase.ts';
import { ONE_ITEM } from '../../../web/outbox/appendBatch.ts';
import { applyVerdicts } from '../../../web/outbox/applyVerdicts.ts';
import { enqueue } from '../../../web/outbox/enqueue.ts';
import { type FenceCheck, markBatch } from '../../../web/outbox/markBatch.ts';
import { BATCH_BYTES } from '../../../web/records/pageLimits.ts';
import { createFakeClock } from '../db/fakeClock.ts';
import { mint } from '../state/modelServer.ts';
import { ROOM, WHOLE_BATCH } from './support.ts';

import 'fake-indexeddb/auto';

function start() {
  const me = mint();
  const db = openUserDatabase(new IDBFactory(), createFakeClock(), me);
  return {
    me,
    db,
    queue: (body = 'a') => enqueue(db, { kind: 'text', body, room: ROOM, clientOffset: mint(), at: 1 }),
    rows: () => db.read(['rows'], (tx) => tx.objectStore('rows').getAll()),
    as: (
      fenceToken: string,
      fenceCheck: FenceCheck,
      limits = WHOLE_BATCH,
      sweep = false,
      mayMark = () => true,
    ) => markBatch(db, { limits, without: new Set(), fenceToken, fenceCheck, sweep, mayMark }),
  };
}

test('O4 a marking that a message interrupts marks nothing afterwards if the connection has ended meanwhile', async () => {
  const { db, queue, rows, as } = start();
  db.queueBy(createTransactionQueue(createFakeClock()));
  let begun = 0;
  const marking = as('me', 'claim', WHOLE_BATCH, false, () => ++begun === 1);
  await queue();
  expect(await marking).toBe('not-marked');
  expect(begun).toBe(2);
  expect(await rows()).toMatchObject([{ attempted: false }]);
});

test('S5 a tab whose lock was stolen while it was frozen marks nothing', async () => {
  const { db, queue, rows, as } = start();
  await queue();
  expect(await as('first', 'claim')).toMatchObject({ items: [{ body: 'a' }] });
  expect(await as('first', 'verify')).toMatchObject({ items: [{ body: 'a' }] });
  expect(await as('second', 'claim')).toMatchObject({ items: [{ body: 'a' }] });
  await queue();
  const before = await rows();
  expect(await as('first', 'verify')).toBe('not-marked');
  expect(await rows()).toEqual(before);
  expect(before[1]).toMatchObject({ attempted: false });
  db.close();
});

test('O3 S5 a tab whose lock was stolen stores only acknowledgements', async () => {
  const { me, db, queue, rows, as } = start();
  await queue('a');
  await queue('b');
  await as('first', 'claim');
  const [a, b] = await rows();
  const notMine = () => false;
  const error = { code: 'forbidden', message: '' };
  await applyVerdicts(
    db,
    me,
    [
      { type: 'refused', clientOffset: a!.clientOffset, error },
      { type: 'unanswered', clientOffset: b!.clientOffset },
    ],
    mint,
    notMine,
  );
  expect(await rows()).toEqual([a, b]);
  await applyVerdicts(
    db,
    me,
    [{ type: 'acknowledged', clientOffset: a!.clientOffset, serverOffset: 1, at: 1 }],
    mint,
    notMine,
  );
  expect(await rows()).toEqual([b]);
  db.close();
});

test('O3 rows that an earlier holder left `sending` are recovered once, without reading all rows again', async () => {
  const { db, queue, rows, as } = start();
  for (let i = 0; i < 3; i++) await queue();
  await as('first', 'claim');
  const tags = async () => (await rows()).map((row) => row.state.tag);
  await as('first', 'verify', ONE_ITEM);
  expect(await tags()).toEqual(['sending', 'sending', 'sending']);
  await as('second', 'claim', ONE_ITEM, true);
  expect(await tags()).toEqual(['sending', 'checking', 'checking']);
  db.close();
});

test('L5 a queue longer than a page is read to the end of the batch, across parked rows', async () => {
  const { db, queue, as } = start();
  const tooLong = 'x'.repeat(4_001);
  for (let i = 0; i < 250; i++) await queue(i < 230 ? tooLong : `text ${i}`);
  const marked = await as('first', 'claim');
  expect(marked).toMatchObject({
    items: Array.from({ length: 20 }, (_, i) => ({ body: `text ${i + 230}` })),
  });
  expect((marked as { bytes: number }).bytes).toBeLessThan(BATCH_BYTES);
  db.close();
});
