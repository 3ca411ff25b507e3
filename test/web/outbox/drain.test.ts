import 'fake-indexeddb/auto';
import { expect, test } from 'vitest';
import type { Acknowledgement, Item } from '../../../shared/protocol/index.ts';
import { openUserDatabase } from '../../../web/db/schema.ts';
import { createDrain } from '../../../web/outbox/drain.ts';
import { createLock } from '../../../web/outbox/lock.ts';
import { enqueue } from '../../../web/outbox/rows.ts';
import { createFakeClock } from '../db/fakeClock.ts';
import { turns, until } from '../db/until.ts';
import { mint } from '../state/modelServer.ts';
import { ROOM } from './support.ts';

type Answered = (answer: Acknowledgement<'append'> | undefined) => void;

function start() {
  const clock = createFakeClock();
  const me = mint();
  const db = openUserDatabase(new IDBFactory(), clock, me);
  const appends: { items: Item[]; answered: Answered }[] = [];
  let suspected = 0;
  const drain = createDrain({
    db,
    me,
    clock,
    random: () => 0.5,
    newKey: mint,
    holder: mint(),
    lock: createLock(undefined, 'drain', { clock, stuckMs: 10_000 }),
    storage: { failed: () => {}, worked: () => {} },
    beat: () => {},
    placed: () => {},
    append: (items, answered) => void appends.push({ items, answered }),
    uploading: () => {},
    suspect: () => void suspected++,
    stopped: () => {},
    changed: () => {},
  });
  const rows = () => db.read(['rows'], (tx) => tx.objectStore('rows').getAll());
  const queue = (body: string) =>
    enqueue(db, { kind: 'text', body, room: ROOM, clientOffset: mint(), at: 1 });
  return { clock, db, drain, appends, rows, queue, suspected: () => suspected };
}

const accepted = (items: Item[]): Acknowledgement<'append'> => ({
  ok: true,
  epoch: mint(),
  results: items.map(({ clientOffset }, i) => ({ clientOffset, serverOffset: i + 1, at: 9 })),
});

test('O2 O3 the late answer of one attempt does not end the wait for the next one', async () => {
  const { clock, db, drain, appends, queue, suspected } = start();
  await queue('a');
  drain.up();
  await until('sent', () => appends.length === 1);
  clock.pass(11_000); // unanswered
  expect(suspected()).toBe(1);
  await until('sent again', () => {
    clock.pass(100);
    return appends.length === 2;
  });
  const refusal = { ok: false, error: { code: 'unavailable', message: '' } } as const;
  appends[0]!.answered(refusal);
  await turns();
  clock.pass(11_000);
  expect(suspected()).toBe(2);
  drain.close();
  db.close();
});

test('O5 after it is closed nothing more is sent, whatever is answered', async () => {
  const { db, drain, appends, queue, clock } = start();
  await queue('a');
  drain.up();
  await until('sent', () => appends.length === 1);
  await queue('b');
  drain.close();
  appends[0]!.answered(accepted(appends[0]!.items));
  drain.rows();
  await turns();
  clock.pass(60_000);
  await turns();
  expect(appends).toHaveLength(1);
  expect(clock.isSet()).toBe(false);
  db.close();
});
