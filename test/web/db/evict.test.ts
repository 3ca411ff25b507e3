import 'fake-indexeddb/auto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Entry } from '../../../shared/entry.ts';
import { freeSpace } from '../../../web/db/evict.ts';
import { DatabaseClosed } from '../../../web/db/resilientDatabase.ts';
import { LOG_STORES, openUserDatabase, type UserDatabase } from '../../../web/db/userDatabase.ts';
import { SYNC_STORES, storeDetached, storeEntries } from '../../../web/log/store/storeEntries.ts';
import { DELETE_SLICE_ENTRIES, KEPT_NEWEST_ENTRIES } from '../../../web/records/pageLimits.ts';
import { newRow, type Row } from '../../../web/records/row.ts';
import { runsOf } from '../../support/runs.ts';
import { key, ROOM } from '../outbox/support.ts';
import { createFakeClock } from './fakeClock.ts';

const open = () => openUserDatabase(new IDBFactory(), createFakeClock(), 'u');

function text(serverOffset: number, author = 'lin'): Entry {
  return { serverOffset, author, clientOffset: key(serverOffset), at: 1, kind: 'text', body: 'hello' };
}

const runOf = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => text(from + i));

async function fill(db: UserDatabase, room: string, from: number, to: number): Promise<void> {
  const entries = runOf(from, to);
  await db.write(SYNC_STORES, (tx) =>
    storeEntries(tx, { room, entries, amendments: [], amendedTo: to, opens: true }).then(() => {}),
  );
}

function all(db: UserDatabase) {
  const names = [...LOG_STORES, 'rows', 'drafts', 'marks', 'meta', 'rooms'] as const;
  return db.read(names, async (tx) => {
    const read = await Promise.all(names.map((name) => tx.objectStore(name).getAll()));
    return Object.fromEntries(names.map((name, i) => [name, read[i]])) as Record<string, unknown[]>;
  });
}

test('O4 eviction deletes log entries only: rows, drafts, read markers and all else stay', async () => {
  const db = open();
  await fill(db, ROOM, 1, 300);
  const detachedEdit = (serverOffset: number, target: number): Entry =>
    ({
      serverOffset,
      author: 'lin',
      clientOffset: key(serverOffset),
      at: 1,
      kind: 'edit',
      target,
      body: 'b',
    }) as Entry;
  await db.write(
    ['rows', 'drafts', 'marks', 'meta', 'log', 'detached', 'logSpans', 'rooms', 'users'],
    async (tx) => {
      await tx.objectStore('rows').add({
        ...newRow({ kind: 'text', body: 'waits', room: ROOM, clientOffset: key('w'), at: 1 }),
        seq: 1,
      } as Row);
      await tx.objectStore('drafts').put({ room: ROOM, text: 'about tomo' });
      await tx.objectStore('marks').put({ room: ROOM, upTo: 2, told: false });
      await tx.objectStore('meta').put('epoch-1', 'epoch');
      await storeDetached(tx, ROOM, [text(900, 'me'), detachedEdit(901, 3), detachedEdit(902, 299)]);
    },
  );
  const before = await all(db);
  expect(await freeSpace(db)).toBe(true);
  const after = await all(db);
  for (const name of ['rows', 'drafts', 'marks', 'meta', 'rooms'] as const)
    expect(after[name], name).toEqual(before[name]);
  expect(after.log).toHaveLength(300 - (300 - KEPT_NEWEST_ENTRIES) / 2);
  expect(after.logSpans).toMatchObject([{ room: ROOM, from: 126, to: 300 }]);
  expect(after.detached!.map((entry) => (entry as Entry).serverOffset)).toEqual([900, 902]);
  db.close();
});

test('S1 O4 after an eviction the spans cover exactly the entries that stay, and each room keeps its newest', async () => {
  const stretches = fc.array(
    fc.record({ gap: fc.integer({ min: 1, max: 5 }), length: fc.integer({ min: 1, max: 90 }) }),
    {
      minLength: 1,
      maxLength: 3,
    },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(stretches, { minLength: 1, maxLength: 3 }), async (rooms) => {
      const db = open();
      const held = new Map<string, number[]>();
      for (const [i, parts] of rooms.entries()) {
        let at = 0;
        for (const { gap, length } of parts) {
          await fill(db, `room${i}`, at + gap + 1, at + gap + length);
          for (let n = 1; n <= length; n++)
            held.set(`room${i}`, [...(held.get(`room${i}`) ?? []), at + gap + n]);
          at += gap + length;
        }
      }
      const spare = [...held.values()].map((all) => Math.max(0, all.length - KEPT_NEWEST_ENTRIES));
      let rounds = 0;
      while (await freeSpace(db)) {
        expect(++rounds).toBeLessThan(20);
        const { log, logSpans } = await all(db);
        for (const [room, before] of held) {
          const left = (log as (Entry & { room: string })[])
            .filter((entry) => entry.room === room)
            .map((entry) => entry.serverOffset);
          expect(left).toEqual(before.slice(before.length - left.length));
          expect(left.length).toBeGreaterThanOrEqual(Math.min(before.length, KEPT_NEWEST_ENTRIES));
          const covered = (logSpans as { room: string; from: number; to: number }[])
            .filter((span) => span.room === room)
            .flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, i) => from + i));
          expect(covered).toEqual(left);
        }
      }
      expect(rounds > 0).toBe(spare.some((count) => count > 0));
      db.close();
    }),
    { seed: 7, numRuns: runsOf('entries that are evicted') },
  );
});

test('O4 a long log is evicted in many small transactions; killed between two of them, the spans cover the entries that stay', async () => {
  const db = open();
  await fill(db, ROOM, 1, 3 * DELETE_SLICE_ENTRIES + 100);
  let writes = 0;
  const killed = freeSpace({
    ...db,
    async write(stores, work) {
      if (++writes === 2) throw new DatabaseClosed();
      return db.write(stores, work);
    },
  });
  await expect(killed).rejects.toThrow(DatabaseClosed);
  const from = DELETE_SLICE_ENTRIES + 1;
  const { log, logSpans } = await all(db);
  expect((log![0] as Entry).serverOffset).toBe(from);
  expect(logSpans).toMatchObject([{ from, to: 3 * DELETE_SLICE_ENTRIES + 100 }]);
  writes = 0;
  const counting: UserDatabase = {
    ...db,
    write(stores, work) {
      writes++;
      return db.write(stores, work);
    },
  };
  expect(await freeSpace(counting)).toBe(true);
  expect(writes).toBe(2);
  db.close();
});

test('O4 a log of an older version that is not migrated yet is evicted too', async () => {
  const db = open();
  await db.write(['entries', 'spans'], async (tx) => {
    for (let i = 1; i <= 250; i++) await tx.objectStore('entries').put({ ...text(i), room: ROOM });
    await tx.objectStore('spans').put({ room: ROOM, from: 1, to: 250, amendedTo: 250 });
  });
  expect(await freeSpace(db)).toBe(true);
  const left = await db.read(['entries', 'spans'], async (tx) => [
    await tx.objectStore('entries').count(),
    ...(await tx.objectStore('spans').getAll()),
  ]);
  expect(left).toEqual([150, { room: ROOM, from: 101, to: 250, amendedTo: 250 }]);
  db.close();
});

test('S3 during a migration the oldest entries are evicted first: no edit is deleted whose message stays', async () => {
  const db = open();
  const edit = { ...text(390), kind: 'edit', target: 240, body: 'said otherwise' } as Entry;
  await db.write(['entries', 'spans'], async (tx) => {
    for (let i = 1; i <= 250; i++) await tx.objectStore('entries').put({ ...text(i), room: ROOM });
    await tx.objectStore('spans').put({ room: ROOM, from: 1, to: 250, amendedTo: 500 }); // 251 to 500 are migrated
  });
  const entries = runOf(251, 500).map((entry) => (entry.serverOffset === 390 ? edit : entry));
  await db.write(SYNC_STORES, (tx) =>
    storeEntries(tx, { room: ROOM, entries, amendments: [], amendedTo: 500, opens: true }).then(() => {}),
  );
  const offsets = () =>
    db.read(['log', 'entries'], async (tx) => {
      const keys = [
        ...(await tx.objectStore('entries').getAllKeys()),
        ...(await tx.objectStore('log').getAllKeys()),
      ];
      return keys.map(([, offset]) => offset);
    });
  const newest = (count: number) => Array.from({ length: count }, (_, i) => 501 - count + i);
  expect(await freeSpace(db)).toBe(true);
  expect(await offsets()).toEqual(newest(275));
  for (let left = 275; await freeSpace(db); ) {
    left -= Math.ceil((left - KEPT_NEWEST_ENTRIES) / 2);
    expect(await offsets()).toEqual(newest(left));
  }
  expect(await offsets()).toEqual(newest(KEPT_NEWEST_ENTRIES));
  db.close();
});
