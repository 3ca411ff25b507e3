import { afterEach, expect, test, vi } from 'vitest';
import type { UserDatabase } from '../../../web/db/userDatabase.ts';
import type { DrainLock } from '../../../web/outbox/drainLock.ts';
import { markBatch } from '../../../web/outbox/markBatch.ts';
import { countTransactions } from '../db/countTransactions.ts';
import { turns, until } from '../db/until.ts';
import { mint } from '../state/modelServer.ts';
import { accepted, start } from './startDrain.ts';
import { WHOLE_BATCH } from './support.ts';

afterEach(() => void vi.restoreAllMocks());

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

test('O3 an answer whose echo has settled the row is not stored again; without the echo it is, and no row is looked for after it', async () => {
  const echoes = new Map<string, Promise<boolean>>();
  const { db, drain, appends, queue, rows, writing } = start({ echo: (key) => echoes.get(key) });
  await queue('a');
  await until('read', async () => (await rows()).length === 1);
  const transactions = countTransactions();
  const writes = () => transactions().filter(({ mode }) => mode === 'readwrite').length;
  drain.up();
  await until('sent', () => appends.length === 1);
  await turns();
  expect(writes()).toBe(1); // it is marked
  const { clientOffset } = appends[0]!.items[0]!;
  const settled = Promise.withResolvers<boolean>();
  echoes.set(clientOffset, settled.promise);
  appends[0]!.answered(accepted(appends[0]!.items));
  await turns();
  expect([writes(), drain.busy()]).toEqual([0, true]); // the echo is being stored
  settled.resolve(true);
  await until('done', () => !drain.busy());
  expect(writes()).toBe(0);

  await db.write(['rows'], (tx) => tx.objectStore('rows').clear());
  await queue('b');
  drain.rows();
  await until('sent', () => appends.length === 2);
  transactions();
  echoes.set(appends[1]!.items[0]!.clientOffset, Promise.resolve(false)); // its frame could not be stored
  appends[1]!.answered(accepted(appends[1]!.items));
  await until('stored', async () => !drain.busy() && writing() === 0);
  expect(writes()).toBe(1);
  expect(await rows()).toEqual([]);
  drain.close();
  db.close();
});

/** A lock that this tab gets at once; a test can steal it and give it back. */
function lockOfOne() {
  let wasLost = () => {};
  let first = true;
  let asked = () => {};
  const lock: DrainLock = {
    exclusive: true,
    acquire(held) {
      if (first) held();
      else asked = held;
      first = false;
    },
    release: () => {},
    extendWait: () => {},
    onLost(callback) {
      wasLost = callback;
    },
    tryOnce: async () => {},
    close: () => {},
  };
  return { lock, steal: () => wasLost(), giveBack: () => asked() };
}

test('S5 O4 rows that were marked before a long freeze are not sent before the fencing token is checked again', async () => {
  const { lock, giveBack } = lockOfOne();
  const { db, drain, appends, queue, clock, stand, rows } = start({ lock });
  await queue('a');
  const goOn = stand();
  drain.up();
  await until('marked', async () => (await rows())[0]!.state.tag === 'sending');
  await turns();
  clock.pass(12_000);
  await markOf(db, 'a thief'); // takes over and sends everything
  goOn();
  await turns();
  expect(appends).toEqual([]);
  giveBack();
  await until('sent', () => appends.length === 1);
  drain.close();
  db.close();
});

test('S5 a marking that was interrupted for long is no freeze: what its last run marked is sent, and not marked again', async () => {
  const { lock } = lockOfOne();
  const { db, drain, appends, queue, clock } = start({ lock });
  await queue('a');
  let markings = 0;
  db.queueBy(async (stores, mode, _durability, begin) => {
    if (mode === 'readonly' || !stores.includes('meta')) return begin();
    markings++;
    const interruption = Promise.withResolvers<never>();
    const interrupted = begin(interruption.promise);
    interruption.reject(new Error('a message'));
    await expect(interrupted).rejects.toThrow('a message');
    clock.pass(12_000);
    return begin();
  });
  drain.up();
  await until('sent', () => appends.length === 1);
  expect(markings).toBe(1);
  drain.close();
  db.close();
});

test('S5 an answer that arrives after the lock was stolen settles what it acknowledges, and nothing else', async () => {
  const { lock, steal } = lockOfOne();
  const { db, drain, appends, queue, rows } = start({ lock });
  await queue('a');
  await queue('b');
  drain.up();
  await until('sent', () => appends.length === 1);
  await markOf(db, 'a thief');
  steal();
  drain.down();
  const [a, b] = appends[0]!.items;
  appends[0]!.answered({
    ok: true,
    epoch: mint(),
    results: [
      { clientOffset: a!.clientOffset, serverOffset: 1, at: 1 },
      { clientOffset: b!.clientOffset, error: { code: 'forbidden', message: '' } },
    ],
  });
  await until('settled', async () => (await rows()).length === 1);
  await turns();
  expect(await rows()).toMatchObject([{ body: 'b', state: { tag: 'sending' } }]);
  drain.close();
  db.close();
});

test('S5 heartbeats are sent during a slow upload, and not while the database stalls or after a timeout', async () => {
  const { lock } = lockOfOne();
  let heartbeats = 0;
  const { db, drain, appends, queue, clock, stand } = start({ lock, lockHeartbeat: () => void heartbeats++ });
  await queue('x'.repeat(4_000));
  const goOn = stand();
  drain.up();
  await turns();
  clock.pass(5_000);
  expect(heartbeats).toBe(0);
  goOn();
  await until('sent', () => appends.length === 1);
  clock.pass(10_000); // of 10.8 s
  expect(heartbeats).toBeGreaterThanOrEqual(3);
  clock.pass(2_000); // unanswered
  await turns();
  const before = heartbeats;
  clock.pass(400);
  expect(heartbeats).toBe(before);
  drain.close();
  db.close();
});

test('O2 at an upload of 20 kB/s a long queue is sent batch after batch, and the connection is told of its bytes', async () => {
  const uploads: number[] = [];
  const { db, drain, appends, queue, clock, suspected, rows } = start({
    uploading: (bytes) => uploads.push(bytes),
  });
  for (let i = 0; i < 40; i++) await queue(`${i} ${'x'.repeat(3_900)}`);
  drain.up();
  const sizes: number[] = [];
  for (let n = 1; (await rows()).length > 0; n++) {
    await until('sent', async () => appends.length === n || (await rows()).length === 0);
    if (appends.length < n) break;
    const { items, answered } = appends[n - 1]!;
    sizes.push(JSON.stringify(items).length);
    clock.pass(sizes.at(-1)! / 20);
    answered(accepted(items));
    await until(
      'stored',
      async () => (await rows()).every((row) => row.state.tag !== 'sending') || appends.length > n,
    );
  }
  expect(suspected()).toBe(0);
  expect(Math.max(...sizes)).toBeGreaterThan(40_000);
  expect(Math.max(...sizes)).toBeLessThan(49 * 1024);
  expect(sizes.length).toBeLessThan(8);
  expect(uploads.filter((bytes) => bytes > 0)).toHaveLength(sizes.length);
  expect(uploads.at(-1)).toBe(0);
  drain.close();
  db.close();
});

function markOf(db: UserDatabase, fenceToken: string) {
  return markBatch(db, {
    limits: WHOLE_BATCH,
    without: new Set(),
    fenceToken,
    fenceCheck: 'claim',
    sweep: true,
    mayMark: () => true,
  });
}
