import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Entry } from '../../../shared/entry.ts';
import { UNREAD_COUNTED_MAX } from '../../../shared/limits.ts';
import { SCREEN_STORES } from '../../../web/db/shareReads.ts';
import type { UserDatabase } from '../../../web/db/userDatabase.ts';
import { countOthers } from '../../../web/log/read/readLines.ts';
import { isWaiting, type Row } from '../../../web/records/row.ts';
import { countRows, readOutboxView } from '../../../web/state/readSnapshot.ts';
import { createSummaries, type Summaries } from '../../../web/state/summaries.ts';
import { seeded } from '../../support/random.ts';
import { countTransactions } from '../db/countTransactions.ts';
import { createFakeClock } from '../db/fakeClock.ts';
import { emptyDatabase, holdOf, queue } from '../log/storedLog.ts';
import { amend, grow, me, text } from '../log/syncBench.ts';
import { deletion, edit, key, parked, ROOM, text as row } from '../outbox/support.ts';
import { userOf } from '../welcome.ts';

let db: UserDatabase;
beforeEach(() => {
  db = emptyDatabase(me);
});
afterEach(() => {
  db.close();
  vi.restoreAllMocks();
});

const user = userOf(me, 'Mika');
const uncertain = (of: Row) => parked(of, true);
const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

async function opened(): Promise<Summaries> {
  const summaries = createSummaries(db, user, () => {});
  await summaries.open();
  return summaries;
}

async function addRooms(ids: readonly string[]): Promise<void> {
  await db.write(['rooms'], async (tx) => {
    for (const id of ids)
      void tx.objectStore('rooms').put({ id, kind: 'public', name: id, head: 0, readUpTo: 0, members: 1 });
  });
}

/** The number of records that the database returns during `work`. */
async function recordsRead(work: () => Promise<unknown>): Promise<number> {
  let records = 0;
  for (const of of [IDBObjectStore.prototype, IDBIndex.prototype]) {
    for (const name of ['get', 'getAll', 'openCursor'] as const) {
      const real = of[name] as (...args: unknown[]) => IDBRequest;
      vi.spyOn(of, name).mockImplementation(function (this: unknown, ...args: unknown[]) {
        const request = real.apply(this, args);
        request.addEventListener('success', () => {
          records += Array.isArray(request.result) ? request.result.length : Number(request.result != null);
        });
        return request as never;
      });
    }
  }
  await work();
  vi.restoreAllMocks();
  return records;
}

test('a change of one room reads only that room, and of a long queue only the rows on the screen', async () => {
  const log: Entry[] = [];
  grow(log, 3_000);
  await holdOf(db, log, [{ from: 1, to: 3_000, amendedTo: 3_000 }]);
  await addRooms(numbers(1, 120).map((n) => `room ${n}`));
  await queue(db, [...numbers(1, 2_000).map((n) => row(n)), edit(2_001, 2_000)]);
  await db.write(['marks'], (tx) => tx.objectStore('marks').put({ room: ROOM, upTo: 3_000, told: true }));
  const summaries = await opened();
  expect(summaries.list()).toHaveLength(121);
  expect(summaries.waiting()).toBe(2_001);
  expect(summaries.list().find(({ id }) => id === ROOM)).toMatchObject({
    waiting: 2_001,
    notSent: 0,
    unread: 0,
    last: { text: 'text 2000', mine: true },
  });
  for (const type of ['log', 'rows', 'queued'] as const)
    expect(await recordsRead(() => summaries.refresh({ type, rooms: [ROOM] }))).toBeLessThan(20);
});

test('a room is known to be empty only where its whole log is stored and has no message', async () => {
  const join = (serverOffset: number): Entry => ({ ...text(serverOffset), kind: 'join' }) as Entry;
  const isEmpty = async (log: readonly Entry[], from: number, to: number) => {
    await holdOf(db, log, [{ from, to, amendedTo: to }]);
    const summaries = await opened();
    return summaries.list().find(({ id }) => id === ROOM)?.isEmpty;
  };
  expect(await isEmpty([join(1), join(2)], 2, 2)).toBe(false); // a message may be in the hole
  expect(await isEmpty([join(1), join(2)], 1, 2)).toBe(true);
  expect(await isEmpty([join(1), join(2), text(3)], 1, 3)).toBe(false);
});

test('thousands of edits behind the last line are not read for each change', async () => {
  const log = [text(1), text(2, 'mine', me), text(3)];
  for (let i = 0; i < 2_000; i++) amend(log, 'edit', 1, `edit ${i}`);
  await holdOf(db, log, [{ from: 1, to: log.length, amendedTo: log.length }], new Set(), 0);
  const summaries = await opened();
  expect(summaries.list()[0]).toMatchObject({ unread: 2, last: { text: 'text 3' } });
  expect(await recordsRead(() => summaries.refresh({ type: 'log', rooms: [ROOM] }))).toBeLessThan(30);
  expect(summaries.list()[0]).toMatchObject({ unread: 2, last: { text: 'text 3' } });
});

test('joined rooms are added to the list; rooms that were left without own messages are removed', async () => {
  await addRooms(['a', 'b']);
  const summaries = await opened();
  const ids = () => summaries.list().map(({ id }) => id);
  await addRooms(['c']);
  await summaries.refresh({ type: 'log', rooms: ['c'] });
  expect(ids()).toEqual(['a', 'b', 'c']);
  const left = { id: 'b', kind: 'public', name: 'b', head: 0, readUpTo: 0, members: 1, left: true } as const;
  await db.write(['rooms', 'rows'], async (tx) => {
    await tx.objectStore('rooms').put(left);
    await tx.objectStore('rows').put({ ...row(1), room: 'b' });
    await tx.objectStore('rooms').delete('a');
  });
  await summaries.refresh({ type: 'all' });
  expect(ids()).toEqual(['b', 'c']);
  expect(summaries.list()[0]).toMatchObject({ member: false, waiting: 1 });
  await queue(db, []);
  await summaries.refresh({ type: 'rows', rooms: ['b'] });
  expect(ids()).toEqual(['c']);
  expect(summaries.waiting()).toBe(0);
});

test('O2 an amendment of a refused text does not count as waiting: the person decides about the text first', async () => {
  await holdOf(db, [], []);
  await queue(db, [parked(row(1)), edit(2, 1), deletion(3, 1)]);
  const summaries = await opened();
  expect(summaries.waiting()).toBe(0);
  expect(summaries.list()[0]).toMatchObject({ waiting: 0, notSent: 1 });
  await queue(db, [uncertain(row(1)), edit(2, 1)]); // the text may have arrived, and its edit is sent
  await summaries.refresh({ type: 'rows', rooms: [ROOM] });
  expect(summaries.waiting()).toBe(1);
});

test.each(numbers(1, 20))('O3 counts by keys equal the rows: seed %i', async (seed) => {
  const random = seeded(seed);
  const rows = numbers(1, 40).map((n): Row => {
    const target = random.int(1, 40);
    const made = random.pick([row(n), row(n), edit(n, target), deletion(n, target)]);
    const state = random.pick([
      made,
      made,
      { ...made, attempted: true, state: { tag: 'checking' as const } },
      parked(made),
      uncertain(made),
    ]);
    return { ...state, room: random.pick([ROOM, 'other']) };
  });
  await queue(db, rows);
  for (const room of [ROOM, 'other', undefined]) {
    const its = rows.filter((each) => room === undefined || each.room === room);
    const refused = new Set(
      rows
        .filter(({ state }) => state.tag === 'parked' && !state.uncertain)
        .map(({ clientOffset }) => clientOffset),
    );
    const goes = (each: Row) => isWaiting(each) && (each.target === undefined || !refused.has(each.target));
    expect(await db.read(['rows'], (tx) => countRows(tx, room))).toEqual({
      messages: its.filter(({ kind }) => kind === 'text').length,
      waiting: its.filter(goes).length,
      notSent: its.filter((each) => !isWaiting(each)).length,
    });
  }
  const { seqs, changes } = await db.read(['rows', 'log', 'detached'], (tx) => readOutboxView(tx, ROOM));
  const its = rows.filter(({ room }) => room === ROOM);
  expect(changes).toEqual(its.filter(({ kind }) => kind !== 'text'));
  const texts = its.filter(({ kind }) => kind === 'text').map(({ seq }) => seq);
  expect(seqs.filter((seq) => texts.includes(seq))).toEqual(texts);
  expect([...seqs]).toEqual([...new Set(seqs)].sort((a, b) => a - b));
});

test('unread counts others’ stored texts in all spans, and each missing entry as one', async () => {
  const log = numbers(1, 300).map((n) => text(n, `text ${n}`, n % 2 === 0 ? me : undefined));
  const count = (upTo: number) =>
    db.read(['logSpans', 'log', 'detached'], (tx) => countOthers(tx, ROOM, me, upTo));
  const hold = (...held: [number, number][]) =>
    holdOf(
      db,
      log,
      held.map(([from, to]) => ({ from, to, amendedTo: 300 })),
    );
  await hold();
  expect(await count(0)).toBe(0);
  await hold([1, 100], [111, 150]);
  expect(await count(150)).toBe(0);
  expect(await count(130)).toBe(10);
  expect(await count(110)).toBe(20);
  expect(await count(104)).toBe(20 + 6);
  expect(await count(60)).toBe(20 + 10 + 20);
  expect(await count(0)).toBe(20 + 10 + 50);
  await hold([21, 150]);
  expect(await count(10)).toBe(65 + 10);
  await hold([1, 300]);
  expect(await count(0)).toBe(UNREAD_COUNTED_MAX);
  for (let i = 0; i < 500; i++) amend(log, 'edit', 1, 'changed');
  await holdOf(db, log, [{ from: 1, to: log.length, amendedTo: log.length }]);
  expect(await count(290)).toBe(5);
});

test('the summary shows the newest queued message, otherwise the newest stored line', async () => {
  const log = [text(1, 'theirs'), text(2, 'mine', me)];
  await holdOf(db, log, [{ from: 1, to: 2, amendedTo: 2 }]);
  await queue(db, [row(1), { ...edit(2, 9), targetOffset: 2, target: key(9) } as Row]);
  const summaries = await opened();
  const last = () => summaries.list()[0]!.last?.text;
  expect(last()).toBe('text 1');
  await queue(db, []);
  await summaries.refresh({ type: 'rows', rooms: [ROOM] });
  expect(last()).toBe('mine');
  log.push(text(3, 'newer'));
  amend(log, 'edit', 3, 'newest');
  await holdOf(db, log, [{ from: 1, to: 4, amendedTo: 4 }]);
  await summaries.refresh({ type: 'log', rooms: [ROOM] });
  expect(last()).toBe('newest');
  await holdOf(db, log.slice(0, 1), [{ from: 1, to: 1, amendedTo: 1 }]);
  await summaries.refresh({ type: 'log', rooms: [ROOM] });
  expect(last()).toBe('theirs');
});

test('during a catch-up the list reads what is stored twice a second, and all else at once', async () => {
  const clock = createFakeClock();
  let isRunning = true;
  const summaries = createSummaries(db, user, () => {}, undefined, { clock, isRunning: () => isRunning });
  await addRooms(['one', 'two', 'three']);
  await summaries.open();
  const log = (room: string) => summaries.refresh({ type: 'log', rooms: [room] });
  await db.write(['rooms'], (tx) =>
    tx
      .objectStore('rooms')
      .put({ id: 'two', kind: 'public', name: 'deux', head: 0, readUpTo: 0, members: 1 }),
  );
  const nameOfTwo = () => summaries.list().find(({ id }) => id === 'two')?.name;
  const reads = countTransactions();
  await Promise.all([log('one'), log('two'), log('one')]);
  expect(reads()).toEqual([]);
  await summaries.refresh({ type: 'queued', rooms: ['three'] }, true);
  expect(reads()).toHaveLength(1);
  clock.pass(499);
  await log('three');
  expect(reads()).toEqual([]);
  expect(nameOfTwo()).toBe('two');
  clock.pass(1);
  await summaries.refresh({ type: 'queued', rooms: ['one'] }, true); // with the read that the clock began
  expect(reads()).toHaveLength(1);
  expect(nameOfTwo()).toBe('deux');
  expect(clock.isSet()).toBe(false);
  isRunning = false;
  await log('one');
  expect(reads()).toHaveLength(1);
});

test('O3 where a read is interrupted at its end and made again, the number of what waits is never ahead of the list', async () => {
  const seen: number[][] = [];
  const numbersShown = () => [summaries.waiting(), summaries.list()[0]?.waiting ?? 0];
  const summaries = createSummaries(
    db,
    user,
    () => {},
    async (work) => {
      await db.read(SCREEN_STORES, work);
      seen.push(numbersShown());
      return db.read(SCREEN_STORES, work);
    },
  );
  await holdOf(db, [], []);
  await summaries.open();
  await queue(db, [row(1), row(2)]);
  await summaries.refresh({ type: 'queued', rooms: [ROOM] });
  expect(seen).toEqual([[0, 0]]);
  expect(numbersShown()).toEqual([2, 2]);
});
