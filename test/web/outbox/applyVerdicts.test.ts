import { beforeEach, describe, expect, test } from 'vitest';
import { openUserDatabase, type UserDatabase } from '../../../web/db/userDatabase.ts';
import { applyFrame } from '../../../web/log/store/applyFrames.ts';
import { forgetLog } from '../../../web/log/store/deleteLogs.ts';
import { SYNC_STORES } from '../../../web/log/store/storeEntries.ts';
import { amend, discard, retry } from '../../../web/outbox/amendText.ts';
import { type BatchLimits, nextBatch, type Verdict } from '../../../web/outbox/appendBatch.ts';
import { applyVerdicts } from '../../../web/outbox/applyVerdicts.ts';
import { enqueue } from '../../../web/outbox/enqueue.ts';
import { markBatch as markAs, recoverUnanswered } from '../../../web/outbox/markBatch.ts';
import { createFakeClock } from '../db/fakeClock.ts';
import { mint } from '../state/modelServer.ts';
import { ROOM, WHOLE_BATCH } from './support.ts';

import 'fake-indexeddb/auto';

const me = mint();
let indexedDB: IDBFactory;
let db: UserDatabase;
let keys: string[];

/** Kills the tab; the database stays. */
function reopen() {
  db.close();
  db = openUserDatabase(indexedDB, createFakeClock(), me);
}

async function queue(...bodies: string[]) {
  for (const body of bodies) {
    keys.push(mint());
    await enqueue(db, { kind: 'text', body, room: ROOM, clientOffset: keys.at(-1)!, at: 1 });
  }
}

async function mark(limits: BatchLimits) {
  const marked = await markAs(db, {
    limits,
    without: new Set(),
    fenceToken: 'a tab',
    fenceCheck: 'none',
    sweep: true,
    mayMark: () => true,
  });
  if (marked === 'not-marked') throw new Error('nobody else drains here');
  return marked;
}

const rows = () => db.read(['rows'], (tx) => tx.objectStore('rows').getAll());
const detached = () => db.read(['detached'], (tx) => tx.objectStore('detached').getAll());
const entries = () => db.read(['log'], (tx) => tx.objectStore('log').getAll());
const states = async () => (await rows()).map((row) => row.state.tag);
const store = (verdicts: Verdict[]) => applyVerdicts(db, me, verdicts, mint);

const acknowledged = (clientOffset: string, serverOffset: number): Verdict => ({
  type: 'acknowledged',
  clientOffset,
  serverOffset,
  at: 9,
});

const refused = (clientOffset: string, code = 'forbidden'): Verdict => ({
  type: 'refused',
  clientOffset,
  error: { code, message: '' },
});

const echo = (clientOffset: string, serverOffset: number, body: string) =>
  applyFrame(
    db,
    me,
    {
      room: ROOM,
      entries: [{ serverOffset, author: me, clientOffset, at: 9, kind: 'text', body }],
      amendments: [],
      amendedTo: serverOffset,
      opens: false,
    },
    {},
  );

beforeEach(() => {
  indexedDB = new IDBFactory();
  db = openUserDatabase(indexedDB, createFakeClock(), me);
  keys = [];
});

describe('a tab that is killed between any two steps of sending loses nothing and sends nothing twice', () => {
  test('O1 before anything was marked', async () => {
    await queue('a', 'b');
    reopen();
    expect(await states()).toEqual(['queued', 'queued']);
  });
  test('O3 after marking, before or after sending', async () => {
    await queue('a', 'b');
    const { items } = await mark(WHOLE_BATCH);
    reopen();
    expect(await states()).toEqual(['sending', 'sending']);
    expect(await recoverUnanswered(db)).toEqual([ROOM]);
    expect(await states()).toEqual(['checking', 'checking']);
    expect((await mark(WHOLE_BATCH)).items).toEqual(items);
  });
  test('O3 after the answer, before it was stored: the same keys are sent again', async () => {
    await queue('a');
    const first = await mark(WHOLE_BATCH);
    reopen();
    expect((await mark(WHOLE_BATCH)).items).toEqual(first.items);
    await store([acknowledged(keys[0]!, 1)]);
    expect([await rows(), (await detached()).length]).toEqual([[], 1]);
  });
  test('O3 while the answer is stored: all of it or nothing', async () => {
    await queue('a', 'b');
    await mark(WHOLE_BATCH);
    const aborting: UserDatabase = {
      ...db,
      write: (stores, work) =>
        db.write(stores, async (tx) => {
          await work(tx);
          throw new Error('the tab died');
        }),
    };
    const died = applyVerdicts(aborting, me, [acknowledged(keys[0]!, 1), acknowledged(keys[1]!, 2)], mint);
    await expect(died).rejects.toThrow('the tab died');
    reopen();
    expect([(await rows()).length, await detached()]).toEqual([2, []]);
  });
});

test('O3 an acknowledgement settles a parked row, and an echo too; a refusal undoes neither', async () => {
  await queue('a', 'b');
  await mark(WHOLE_BATCH);
  await store([refused(keys[0]!), refused(keys[1]!)]);
  expect(await states()).toEqual(['parked', 'parked']);
  await store([acknowledged(keys[0]!, 2)]);
  await echo(keys[1]!, 1, 'b');
  expect(await rows()).toEqual([]);
  await store([refused(keys[0]!), refused(keys[1]!)]);
  expect(await rows()).toEqual([]);
  expect((await detached()).map((entry) => entry.serverOffset)).toEqual([2]);
  expect((await entries()).map((entry) => entry.serverOffset)).toEqual([1]);
});

test('O3 an echo that leaves a hole settles its row all the same', async () => {
  await queue('a');
  await mark(WHOLE_BATCH);
  expect(await echo(keys[0]!, 7, 'a')).toMatchObject({ stored: false, settled: 'rows' });
  expect([await rows(), (await detached()).length]).toEqual([[], 1]);
});

test('L5 only rows that are not in flight are recovered, and rows after a batch keep their order', async () => {
  await queue('a', 'b', 'c');
  await mark({ items: 1, bytes: 0 });
  expect(await states()).toEqual(['sending', 'queued', 'queued']);
  await store([{ type: 'put-off', clientOffset: keys[0]! }]);
  expect((await mark(WHOLE_BATCH)).items.map((item) => item.clientOffset)).toEqual(keys);
});

test('O3 only an own entry of the same room is an echo', async () => {
  await queue('a');
  await mark(WHOLE_BATCH);
  const entry = {
    serverOffset: 1,
    author: me,
    clientOffset: keys[0]!,
    at: 9,
    kind: 'text',
    body: 'x',
  } as const;
  const rest = { amendments: [], amendedTo: 1, opens: false };
  await applyFrame(db, me, { ...rest, room: ROOM, entries: [{ ...entry, author: mint() }] }, {});
  await applyFrame(db, me, { ...rest, room: mint(), entries: [entry] }, {});
  expect(await states()).toEqual(['sending']);
});

test('O3 rows that an earlier run left `sending` become `checking`, whatever the next batch takes of them', async () => {
  await queue('a', 'b');
  await mark(WHOLE_BATCH);
  reopen();
  await mark({ items: 1, bytes: 0 });
  expect(await states()).toEqual(['sending', 'checking']);
});

test('a text that may be in the log and was deleted disappears once its deletion is acknowledged', async () => {
  await queue('a');
  const error = { code: 'internal', message: '' };
  for (let i = 0; i < 5; i++) {
    await mark(WHOLE_BATCH);
    await store([{ type: 'uncertain', clientOffset: keys[0]!, error }]);
  }
  expect(await states()).toEqual(['parked']);
  await discard(db, keys[0]!, mint(), 5);
  const { items } = await mark(WHOLE_BATCH);
  expect(items).toMatchObject([{ kind: 'delete', target: keys[0] }]);
  await store([acknowledged(items[0]!.clientOffset, 3)]);
  expect(await rows()).toEqual([]);
});

test('an own acknowledged entry outside all spans is reported, so that its amendments can be fetched', async () => {
  await queue('a', 'b');
  await mark(WHOLE_BATCH);
  await echo(mint(), 1, 'held');
  expect(await store([acknowledged(keys[0]!, 1), acknowledged(keys[1]!, 5)])).toEqual({
    rooms: [ROOM],
    freed: false,
    isLeft: true, // entry 1 is another's: the first row is sent again
    placed: [{ room: ROOM, serverOffset: 5 }],
  });
});

test('S1 O3 an answer settles nothing if another tab deleted the stored logs meanwhile: its rows are sent again', async () => {
  await queue('a');
  const { generation } = await mark(WHOLE_BATCH);
  await db.write(SYNC_STORES, (tx) => forgetLog(tx, ROOM));
  await applyVerdicts(db, me, [acknowledged(keys[0]!, 5)], mint, () => true, generation);
  expect(await states()).toEqual(['checking']);
  expect(await detached()).toEqual([]);
});

test('S1 O3 an acknowledgement of a log that was restored, at a place where another entry is stored: the row stays until the log is read again', async () => {
  await queue('a');
  for (const [i, body] of ['old 1', 'old 2', 'old 3'].entries()) await echo(mint(), i + 1, body);
  await mark(WHOLE_BATCH);
  await store([acknowledged(keys[0]!, 2)]); // the worker, before any page has connected
  expect(await states()).toEqual(['checking']);
  await db.write(SYNC_STORES, (tx) => forgetLog(tx, ROOM));
  await mark(WHOLE_BATCH);
  await store([acknowledged(keys[0]!, 2)]);
  expect(await states()).toEqual([]);
});

test('O2 a parked text that is acknowledged after all lets its amendments be sent', async () => {
  await queue('a');
  await mark(WHOLE_BATCH);
  const refusal = {
    clientOffset: keys[0]!,
    type: 'refused',
    error: { code: 'forbidden', message: '' },
  } as const;
  expect(await store([refusal])).toMatchObject({ freed: false });
  expect(await store([acknowledged(keys[0]!, 5)])).toMatchObject({ rooms: [ROOM], freed: true });
});

describe('what a user does with a parked row', () => {
  beforeEach(async () => {
    await queue('a', 'b');
    await enqueue(db, {
      kind: 'edit',
      target: keys[0]!,
      body: 'a2',
      room: ROOM,
      clientOffset: mint(),
      at: 1,
    });
    await mark(WHOLE_BATCH);
    await store([refused(keys[0]!), acknowledged(keys[1]!, 1)]);
  });

  test('Try again keeps the key', async () => {
    expect(await retry(db, keys[0]!)).toMatchObject({ room: ROOM });
    expect((await mark(WHOLE_BATCH)).items.map((item) => item.clientOffset)).toEqual([keys[0]]);
    expect(await retry(db, keys[1]!)).toBeUndefined();
  });
  test('O4 Edit replaces it by a new row in its place, with the last text', async () => {
    const fresh = mint();
    await amend(db, keys[0]!, 'a, better', fresh, 5);
    const after = await rows();
    expect(after).toMatchObject([
      { seq: 1, clientOffset: fresh, body: 'a, better', attempted: false, state: { tag: 'queued' } },
    ]);
    expect(nextBatch(after, WHOLE_BATCH)).toHaveLength(1);
  });
  test('Delete deletes it with its amendments', async () => {
    await discard(db, keys[0]!, mint(), 5);
    expect(await rows()).toEqual([]);
  });
});

test('after a conflict a row gets a new key, and its followers refer to it, in one transaction', async () => {
  await queue('a');
  await enqueue(db, { kind: 'delete', target: keys[0]!, room: ROOM, clientOffset: mint(), at: 1 });
  await mark(WHOLE_BATCH);
  await store([refused(keys[0]!, 'conflict')]);
  const [first, second] = await rows();
  expect(first).toMatchObject({ kind: 'text', state: { tag: 'queued' }, attempted: false });
  expect(first!.clientOffset).not.toBe(keys[0]);
  expect(second).toMatchObject({ kind: 'delete', target: first!.clientOffset });
});

test('an edit gets the offset of its target, and its entry amends the stored message', async () => {
  await queue('a');
  await enqueue(db, { kind: 'edit', target: keys[0]!, body: 'a2', room: ROOM, clientOffset: mint(), at: 1 });
  await mark(WHOLE_BATCH);
  await store([acknowledged(keys[0]!, 4)]);
  const { items } = await mark(WHOLE_BATCH);
  await store([acknowledged(items[0]!.clientOffset, 6)]);
  expect(await rows()).toEqual([]);
  expect(await detached()).toMatchObject([
    { kind: 'text', serverOffset: 4 },
    { kind: 'edit', serverOffset: 6, target: 4, body: 'a2' },
  ]);
});

test('a deleted text is not restored by a late acknowledgement', async () => {
  await queue('secret');
  await mark(WHOLE_BATCH);
  const [gone, deletion] = [
    { serverOffset: 1, author: mint(), clientOffset: mint(), at: 1, kind: 'text', body: 'x' } as const,
    { serverOffset: 9, author: me, clientOffset: mint(), at: 1, kind: 'delete', target: 3 } as const,
  ];
  await applyFrame(
    db,
    me,
    { room: ROOM, entries: [gone], amendments: [deletion], amendedTo: 9, opens: false },
    {},
  );
  await store([acknowledged(keys[0]!, 3)]);
  expect(JSON.stringify([await detached(), await entries()])).not.toContain('secret');
});

test('O4 nothing of a row is changed in place once it was attempted', async () => {
  await queue('a');
  const { items } = await mark(WHOLE_BATCH);
  await store([{ type: 'uncertain', clientOffset: keys[0]!, error: { code: 'internal', message: '' } }]);
  await amend(db, keys[0]!, 'b', mint(), 5); // not parked: nothing to amend
  expect((await mark(WHOLE_BATCH)).items).toEqual(items);
});
