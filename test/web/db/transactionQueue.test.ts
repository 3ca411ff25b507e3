import { expect, test } from 'vitest';
import { SCREEN_STORES } from '../../../web/db/shareReads.ts';
import { createTransactionQueue } from '../../../web/db/transactionQueue.ts';
import {
  LOG_STORES,
  type UserDatabase,
  type UserRead,
  type UserWrite,
} from '../../../web/db/userDatabase.ts';
import { applyVerdicts } from '../../../web/outbox/applyVerdicts.ts';
import { enqueue } from '../../../web/outbox/enqueue.ts';
import { DATABASE_TIMEOUT_MS } from '../../../web/records/pageLimits.ts';
import { emptyDatabase } from '../log/storedLog.ts';
import { key, ROOM } from '../outbox/support.ts';
import { createFakeClock } from './fakeClock.ts';
import { turns } from './until.ts';

function opened() {
  const db = emptyDatabase('me');
  db.queueBy(createTransactionQueue(createFakeClock()));
  return db;
}

/** They take longer than a message that is being queued. */
const SLOW_REQUESTS = 200;

const write = (db: UserDatabase, n: number) =>
  enqueue(db, { kind: 'text', body: `${n}`, room: ROOM, clientOffset: key(n), at: n }, { isOwnDraft: true });

test('O1 a message that is being queued waits neither for a catch-up that is being stored nor for what waits for that', async () => {
  const db = opened();
  await write(db, 1);
  const done: string[] = [];
  let isOver = false;
  const catchUp = db
    .write([...LOG_STORES, 'rooms', 'users', 'meta'], async (tx) => {
      for (let n = 0; n < SLOW_REQUESTS && !isOver; n++) await tx.objectStore('log').count();
    })
    .then(() => void done.push('catch-up'));
  const screen = db
    .read(SCREEN_STORES, (tx) => tx.objectStore('rows').count())
    .then((count) => {
      done.push(`screen with ${count}`);
    });
  const verdicts = applyVerdicts(db, 'me', [], () => key(9)).then(() => void done.push('answer'));
  await turns();
  await write(db, 2);
  done.push('queued');
  isOver = true;
  await Promise.all([catchUp, screen, verdicts]);
  expect(done).toEqual(['queued', 'catch-up', 'screen with 2', 'answer']);
  db.close();
});

test('O1 the next slice of a catch-up is not stored while a message is being queued; a read for the screen is made', async () => {
  const queue = createTransactionQueue(createFakeClock());
  const begun: string[] = [];
  const named =
    (name: string, over: Promise<unknown> = Promise.resolve()) =>
    () => {
      begun.push(name);
      return over;
    };
  let isDurable = () => {};
  const durable = new Promise<void>((resolve) => {
    isDurable = resolve;
  });
  const tap = queue(['rows', 'drafts'], 'readwrite', 'strict', named('tap', durable));
  const slice = queue(LOG_STORES, 'readwrite', 'relaxed', named('slice'));
  const read = queue(['log'], 'readonly', 'relaxed', named('read before the slice'));
  const other = queue(['rooms'], 'readonly', 'relaxed', named('read'));
  await turns();
  expect(begun).toEqual(['tap', 'read']);
  isDurable();
  await Promise.all([tap, slice, read, other]);
  expect(begun).toEqual(['tap', 'read', 'slice', 'read before the slice']);
});

test('O1 a message that is being queued waits neither for a read of the outbox nor for a mark of the drain that have begun: they run again after it', async () => {
  const db = opened();
  const done: string[] = [];
  let runs = 0;
  for (const n of [1, 2]) {
    await write(db, 2 * n);
    let isOver = false;
    const counted = async (tx: UserRead | UserWrite) => {
      runs++;
      for (let n = 0; n < SLOW_REQUESTS && !isOver; n++) await tx.objectStore('rows').count();
      return tx.objectStore('rows').count();
    };
    const other =
      n === 1
        ? db.read(SCREEN_STORES, counted)
        : db.write(['rows', 'meta'], async (tx) => {
            await tx.objectStore('rows').delete(1); // undone with the transaction
            return counted(tx);
          });
    const counting = other.then((count) => void done.push(`counted ${count}`));
    await turns();
    await write(db, 2 * n + 1);
    done.push('queued');
    isOver = true;
    await counting;
  }
  expect(done).toEqual(['queued', 'counted 2', 'queued', 'counted 3']);
  expect(runs).toBe(4);
  db.close();
});

test('O1 S5 a draft interrupts nothing, a message nothing of other stores, and many messages no transaction for ever', async () => {
  const queue = createTransactionQueue(createFakeClock());
  const interrupted: string[] = [];
  const begun = (name: string) => (interruption?: Promise<never>) => {
    interruption?.catch(() => interrupted.push(name));
    return interruption ?? Promise.resolve();
  };
  const written = (stores: string[]) => queue(stores, 'readwrite', 'strict', async () => {});
  void queue(LOG_STORES, 'readwrite', 'relaxed', begun('slice'));
  const read = queue(['rows', 'drafts'], 'readonly', 'relaxed', begun('read'));
  await written(['drafts']);
  await turns();
  expect(interrupted).toEqual([]);
  for (let n = 0; n < 4; n++) {
    await written(['rows', 'drafts']);
    await turns();
  }
  expect(interrupted).toEqual(['read', 'read', 'read']);
  await read; // the fourth time it could not be interrupted
});

test('S1 of two transactions that use one store, the later one sees what the earlier one wrote, whatever waits between them', async () => {
  const db = opened();
  const put = (id: string) =>
    db.write(['users'], (tx) => tx.objectStore('users').put({ id, name: id, rev: 1 }), 'relaxed');
  const count = () => db.read(['users', 'log'], (tx) => tx.objectStore('users').count());
  const counts = [count(), put('a'), count(), put('b'), put('c'), count()];
  expect(await Promise.all(counts)).toEqual([0, 'a', 1, 'b', 'c', 3]);
  db.close();
});

test('where the database does not answer, nothing waits longer for its turn than it may take', async () => {
  const clock = createFakeClock();
  const queue = createTransactionQueue(clock);
  void queue(['users'], 'readwrite', 'relaxed', () => new Promise(() => {}));
  const begun: string[] = [];
  const read = queue(['users', 'log'], 'readonly', 'relaxed', async () => void begun.push('read'));
  await turns();
  expect(begun).toEqual([]);
  clock.pass(DATABASE_TIMEOUT_MS);
  await read;
  expect(begun).toEqual(['read']);
});
