/** The migration of version 3's logs: complete, interrupted anywhere, with new frames meanwhile, in several tabs at once. */
import { afterEach, expect, test, vi } from 'vitest';
import type { Entry } from '../../../../shared/entry.ts';
import { isLine } from '../../../../shared/fold.ts';
import { membershipOf } from '../../../../shared/kinds.ts';
import { CATCH_UP_NEWEST_MESSAGES } from '../../../../shared/limits.ts';
import type { Room } from '../../../../shared/protocol/index.ts';
import {
  LEGACY_LOG_STORES,
  LOG_STORES,
  openUserDatabase,
  type UserDatabase,
} from '../../../../web/db/userDatabase.ts';
import { createLogMigration } from '../../../../web/engine/logMigration.ts';
import { findOwnText } from '../../../../web/log/read/findOwnText.ts';
import { readLastLine } from '../../../../web/log/read/readLines.ts';
import { applyFrame, storeWelcome } from '../../../../web/log/store/applyFrames.ts';
import { createMover, moveSlice } from '../../../../web/log/store/migrateLog.ts';
import { MOVE_CHUNK_ENTRIES, MOVE_SLICE_ENTRIES } from '../../../../web/records/pageLimits.ts';
import type { HeldEntry } from '../../../../web/records/storedRecords.ts';
import { inherit } from '../../../../web/state/inherit.ts';
import { createFakeClock } from '../../db/fakeClock.ts';
import { until } from '../../db/until.ts';
import { type Dump, restore } from '../../db/version3/dump.ts';
import records from '../../db/version3/records.json' with { type: 'json' };
import { userOf, welcomeOf } from '../../welcome.ts';

import 'fake-indexeddb/auto';

vi.mock('../../../../shared/limits.ts', async (original) => ({
  ...(await original<typeof import('../../../../shared/limits.ts')>()),
  CATCH_UP_NEWEST_MESSAGES: 10,
}));

vi.mock('../../../../web/records/pageLimits.ts', async (original) => ({
  ...(await original<typeof import('../../../../web/records/pageLimits.ts')>()),
  MOVE_CHUNK_ENTRIES: 7,
  MOVE_SLICE_ENTRIES: 20,
}));

afterEach(() => void vi.restoreAllMocks());

const dump = records as unknown as Dump;
const [me, WARD] = ['me', 'ward'].map((name) => name.padEnd(22, '0')) as [string, string];

const valuesOf = (store: string) =>
  dump.stores.find(({ name }) => name === store)!.records.map(({ value }) => value);

async function older() {
  const indexedDB = new IDBFactory();
  await restore(dump, indexedDB);
  const clock = createFakeClock();
  return { indexedDB, clock, db: openUserDatabase(indexedDB, clock, me) };
}

async function moveAll(db: UserDatabase): Promise<number> {
  const clock = createFakeClock();
  for (let slices = 1; ; slices++) if ((await moveSlice(db, clock)).left === 0) return slices;
}

function all(db: UserDatabase) {
  return db.read([...LOG_STORES, ...LEGACY_LOG_STORES], async (tx) => ({
    log: await tx.objectStore('log').getAll(),
    logSpans: await tx.objectStore('logSpans').getAll(),
    detached: await tx.objectStore('detached').getAll(),
    entries: await tx.objectStore('entries').getAll(),
    spans: await tx.objectStore('spans').getAll(),
    loose: await tx.objectStore('loose').getAll(),
  }));
}

/** S1, for the old stores and the new ones. */
async function expectCovered(db: UserDatabase): Promise<void> {
  const { log, logSpans, entries, spans } = await all(db);
  for (const [held, over] of [
    [log, logSpans],
    [entries, spans],
  ] as const) {
    const covered = over.flatMap(({ room, from, to }) =>
      Array.from({ length: to - from + 1 }, (_, i) => `${room} ${from + i}`),
    );
    expect(held.map(({ room, serverOffset }) => `${room} ${serverOffset}`)).toEqual(covered);
  }
}

const isOpened = (room: string) => ({ opened: () => room });

const text = (serverOffset: number, body = `text ${serverOffset}`) =>
  (valuesOf('entries') as HeldEntry[])
    .filter(({ room }) => room === 'lobby')
    .map(({ room: _, ...entry }) => entry as Entry)
    .find((entry) => entry.serverOffset === serverOffset) ??
  ({
    serverOffset,
    author: 'lin'.padEnd(22, '0'),
    clientOffset: `e${serverOffset}`.padEnd(22, '0'),
    at: 1_000 + serverOffset,
    kind: 'text',
    body,
  } as Entry);

const texts = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => text(from + i));

const taken = (db: UserDatabase, entries: readonly Entry[], more: object = {}) =>
  applyFrame(
    db,
    me,
    {
      room: 'lobby',
      entries,
      amendments: [],
      amendedTo: entries.at(-1)!.serverOffset,
      opens: false,
      ...more,
    },
    {},
  );

test('S1 S3 the log of version 3 is migrated unchanged; its outbox and all other stores are not touched', async () => {
  const { db } = await older();
  await moveAll(db);
  const { log, logSpans, detached, ...unmoved } = await all(db);
  expect(unmoved).toEqual({ entries: [], spans: [], loose: [] });
  expect(logSpans).toEqual(valuesOf('spans'));
  expect(detached).toEqual(valuesOf('loose'));
  expect(log.map(({ line: _, ...entry }) => entry)).toEqual(valuesOf('entries'));
  const lines = await db.read(['log'], (tx) => tx.objectStore('log').index('line').getAll());
  expect(lines.filter(({ line }) => typeof line === 'number')).toEqual(log.filter(isLine));
  expect(lines.filter(({ line }) => Array.isArray(line))).toEqual(log.filter(membershipOf));
  expect(lines.some(({ kind }) => kind === 'poll')).toBe(true);
  expect(lines.some(({ kind }) => kind === 'edit')).toBe(false);
  for (const name of ['rows', 'drafts', 'marks', 'rooms', 'users'] as const)
    expect(await db.read([name], (tx) => tx.objectStore(name).getAll())).toEqual(valuesOf(name));
  db.close();
});

test('S1 S3 the newest entries of all rooms and the detached ones are migrated first, then older ones, in small transactions', async () => {
  const { db, clock } = await older();
  const first = await moveSlice(db, clock, WARD);
  expect(first).toMatchObject({ rooms: [WARD, 'lobby'], isNewestMoved: true });
  const after = await all(db);
  expect(after.logSpans).toMatchObject([
    { room: 'lobby', to: 400, amendedTo: 400 },
    { room: WARD, to: 30, amendedTo: 30 },
  ]);
  expect(after.detached).toEqual(valuesOf('loose'));
  const last = await db.read(['log', 'logSpans', 'detached'], (tx) => readLastLine(tx, WARD));
  expect(last).toMatchObject({ serverOffset: 30 });
  await expectCovered(db);
  let held = after.log.length;
  for (let left = first.left; left > 0; ) {
    const slice = await moveSlice(db, clock);
    await expectCovered(db);
    const { log } = await all(db);
    expect(log.length - held).toBeLessThan(MOVE_SLICE_ENTRIES + MOVE_CHUNK_ENTRIES);
    expect(left - slice.left).toBe(log.length - held);
    [held, left] = [log.length, slice.left];
  }
  expect(CATCH_UP_NEWEST_MESSAGES).toBeLessThan(30); // else this test shows nothing
  db.close();
});

test('S1 O4 interrupted after any request, a migration leaves both stores consistent and continues from there', async () => {
  for (let cut = 1, isCut = true; isCut; cut += 2) {
    const { db, clock } = await older();
    if (cut % 4 === 1) await moveSlice(db, clock);
    isCut = await cutOff(db, clock, cut);
    await expectCovered(db);
    await moveAll(db);
    const { log, detached } = await all(db);
    expect(log).toHaveLength(valuesOf('entries').length);
    expect(detached).toEqual(valuesOf('loose'));
    db.close();
  }
});

/** Aborts the transaction after so many requests. False if it has fewer. */
async function cutOff(db: UserDatabase, clock: ReturnType<typeof createFakeClock>, cut: number) {
  let requests = 0;
  let isCut = false;
  for (const method of ['put', 'delete', 'getAll'] as const) {
    const real = IDBObjectStore.prototype[method] as (...of: unknown[]) => IDBRequest;
    vi.spyOn(IDBObjectStore.prototype, method).mockImplementation(function (
      this: IDBObjectStore,
      ...of: unknown[]
    ) {
      const request = real.apply(this, of);
      if (++requests === cut) {
        isCut = true;
        request.addEventListener('success', () => this.transaction.abort());
      }
      return request;
    } as never);
  }
  await moveSlice(db, clock).catch(() => {});
  vi.restoreAllMocks();
  return isCut;
}

test('S3 deletions and edits made during the migration apply to migrated entries, and a late copy restores nothing', async () => {
  const { db, clock } = await older();
  await moveSlice(db, clock);
  const deletion = { ...text(401), kind: 'delete', target: 20, body: undefined } as unknown as Entry;
  const edit = { ...text(402), kind: 'edit', target: 21, body: 'said otherwise' } as unknown as Entry;
  await taken(db, [deletion, edit]);
  await moveAll(db);
  const { log } = await all(db);
  const at = (offset: number) => log.find((entry) => entry.room === 'lobby' && entry.serverOffset === offset);
  expect(at(20)).toMatchObject({ deleted: true });
  expect(at(20)).not.toHaveProperty('body');
  expect(at(31)).toMatchObject({ deleted: true });
  const edited = await db.read(['log', 'detached', 'logSpans'], (tx) =>
    findOwnText(tx, 'lin'.padEnd(22, '0'), 'lobby', 'e21'.padEnd(22, '0'), 21),
  );
  expect(edited).toMatchObject({ body: 'said otherwise' });
  db.close();
});

test('S1 entries fetched during the migration are stored once, in one span with the migrated ones', async () => {
  const { db, clock } = await older();
  await moveSlice(db, clock);
  await taken(db, texts(60, 110), { amendedTo: 400, opens: true });
  await taken(db, texts(330, 345), { opens: true });
  for (let left = 1; left > 0; ) {
    ({ left } = await moveSlice(db, clock));
    await expectCovered(db);
  }
  expect((await all(db)).logSpans).toMatchObject([
    { room: 'lobby', from: 1, to: 130 },
    { room: 'lobby', from: 330, to: 400 },
    { room: WARD, from: 1, to: 30 },
  ]);
  db.close();
});

test('S1 entries that turn out to be of another log are deleted, migrated or not; outbox rows of the room stay', async () => {
  const { db, clock } = await older();
  await moveSlice(db, clock);
  await taken(db, [{ ...text(100), clientOffset: 'other'.padEnd(22, '0') } as Entry], { opens: true });
  await moveAll(db);
  const { logSpans, detached } = await all(db);
  expect(logSpans).toMatchObject([{ room: WARD, from: 1, to: 30 }]);
  expect(detached).toEqual([]);
  expect(await db.read(['meta'], (tx) => tx.objectStore('meta').get('generation'))).toBe('1');
  expect(await db.read(['rows'], (tx) => tx.objectStore('rows').count())).toBe(valuesOf('rows').length);
  db.close();
});

test('S1 a deleted log is not migrated afterwards: after a reset, another epoch, or an inherited outbox', async () => {
  const user = userOf(me, 'Mika');
  const rooms = (valuesOf('rooms') as Room[]).map((room) => ({
    ...room,
    from: room.head + 1,
  }));
  const cases = {
    reset: (db: UserDatabase) =>
      storeWelcome(
        db,
        welcomeOf(
          user,
          rooms.map((room) => (room.id === WARD ? room : { ...room, reset: true as const })),
          { epoch: 'epoch-one' },
        ),
      ),
    epoch: (db: UserDatabase) => storeWelcome(db, welcomeOf(user, rooms, { epoch: 'two' })),
  };
  for (const [name, forgets] of Object.entries(cases)) {
    const { db, clock } = await older();
    await moveSlice(db, clock);
    await forgets(db);
    await moveAll(db);
    const { log, detached } = await all(db);
    expect(log.map(({ room }) => room)).toEqual(name === 'reset' ? Array(30).fill(WARD) : []);
    expect(detached).toEqual([]);
    db.close();
  }
  const { indexedDB, clock, db } = await older();
  await inherit(indexedDB, clock, { of: me, heir: 'heir'.padEnd(22, '0') });
  for (const records of Object.values(await all(db))) expect(records).toEqual([]);
  db.close();
});

test('S1 S5 two tabs migrate at once: each moves what is left', async () => {
  const { indexedDB, clock, db } = await older();
  const other = openUserDatabase(indexedDB, clock, me);
  for (let left = 1; left > 0; ) {
    const slices = await Promise.all([moveSlice(db, clock), moveSlice(other, clock, WARD)]);
    left = Math.min(...slices.map((slice) => slice.left));
    await expectCovered(db);
  }
  expect((await all(db)).log.map(({ line: _, ...entry }) => entry)).toEqual(valuesOf('entries'));
  for (const each of [db, other]) each.close();
});

test('S1 where stored entries are missing, a migrated room fetches them again', async () => {
  const { db, clock } = await older();
  await db.write(['entries'], (tx) => tx.objectStore('entries').delete(['lobby', 350]));
  await moveSlice(db, clock);
  await moveAll(db);
  const { log, logSpans } = await all(db);
  expect(log.some(({ room, serverOffset }) => room === 'lobby' && serverOffset === 350)).toBe(false);
  expect(logSpans.filter(({ room }) => room === 'lobby')).toHaveLength(3);
  await expectCovered(db);
  db.close();
});

test('a migration begins with the open room, reports changed rooms, and retries failed slices', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const { db, clock } = await older();
  const told: string[][] = [];
  const left: number[] = [];
  let failing = true;
  const faulty: UserDatabase = {
    ...db,
    write: (stores, work) => (failing ? Promise.reject(new Error('on purpose')) : db.write(stores, work)),
  };
  const mover = createMover({
    db: faulty,
    clock,
    ...isOpened(WARD),
    changed: (change) => 'rooms' in change && told.push([...change.rooms]),
    left: (count) => void left.push(count),
  });
  await mover.newest; // a failed slice does not delay the handshake
  expect(warn).toHaveBeenCalledOnce();
  failing = false;
  await until('all is moved', async () => {
    clock.pass(1_000);
    return (await all(db)).entries.length === 0;
  });
  expect(left).toEqual(left.toSorted((a, b) => b - a));
  expect(left.at(-1)).toBe(0);
  expect(told[0]).toEqual([WARD, 'lobby']);
  expect(told.flat().filter((room) => room === WARD).length).toBeGreaterThan(1);
  mover.close();
  db.close();
});

test('a closed migration moves nothing more', async () => {
  const { db, clock } = await older();
  const mover = createMover({ db, clock, ...isOpened('lobby'), changed() {}, left() {} });
  await mover.newest;
  mover.close();
  const before = await all(db);
  clock.pass(60_000);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(await all(db)).toEqual(before);
  db.close();
});

test('without an older log the migration is not loaded and nothing waits for it', async () => {
  const clock = createFakeClock();
  const db = openUserDatabase(new IDBFactory(), clock, me);
  const write = vi.spyOn(db, 'write');
  const mover = createLogMigration({ db, clock, ...isOpened('lobby'), changed() {}, progressed() {} });
  await mover.newest();
  expect(write).not.toHaveBeenCalled();
  mover.close();
  const { db: full, clock: time } = await older();
  const shown: (number | undefined)[] = [];
  const needed = createLogMigration({
    db: full,
    clock: time,
    ...isOpened('lobby'),
    changed() {},
    progressed: () => void shown.push(needed.percent()),
  });
  await needed.newest();
  expect((await all(full)).logSpans).toHaveLength(2);
  await until('all is moved', async () => {
    time.pass(1_000);
    return (await all(full)).entries.length === 0;
  });
  await until('nothing is said any more', async () => shown.at(-1) === undefined);
  needed.close();
  for (const each of [db, full]) each.close();
});
