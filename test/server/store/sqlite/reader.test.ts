/** Reads concurrent with the writer: what they see, and what they delay. */
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Worker } from 'node:worker_threads';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { type Store, Unavailable } from '../../../../server/store/port.ts';
import { closeWriter, openReader, openWriter } from '../../../../server/store/sqlite/connections.ts';
import { openSqlite } from '../../../../server/store/sqlite/index.ts';
import { readsOn } from '../../../../server/store/sqlite/logReads.ts';
import { readingOn } from '../../../../server/store/sqlite/rows.ts';
import { append, appendNew, listen, newId, text, upTo } from '../../../contract/support.ts';
import { newFolder, silent } from './harness.ts';

const MB = 1024 * 1024;
/** From 3,000 pages on a checkpoint waits for the reads (checkpoints.ts); one batch may add some hundred. */
const MOST_CHANGES_BYTES = 24 * MB;

let file: string;
beforeEach(async () => {
  const folder = await newFolder();
  file = join(folder, 'holdfast.db');
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

async function opened(): Promise<{ store: Store; reader(): Worker }> {
  const latest = new Map<string | null, Worker>();
  const note = (worker: Worker) => latest.set(worker.threadName, worker);
  process.on('worker', note);
  const store = await openSqlite({ file, log: silent });
  onTestFinished(async () => {
    process.off('worker', note);
    await store.close();
  });
  return { store, reader: () => latest.get('sqlite reader')! };
}

async function fill(store: Store, texts: number): Promise<void> {
  const author = newId();
  for (let left = texts; left > 0; left -= 1_000) {
    const batch = upTo(Math.min(left, 1_000)).map((n) => text('lobby', author, `line ${n}`));
    await appendNew(store, batch);
  }
}

const changesBytes = () => statSync(`${file}-wal`).size;

it('L2 a read sees everything that was acknowledged before the call', async () => {
  const { store } = await opened();
  const author = newId();
  for (const head of upTo(300)) {
    const [result] = await append(store, [text('lobby', author, `line ${head}`)]);
    expect(result).toMatchObject({ serverOffset: head });
    const [{ entries }, heads, [at]] = await Promise.all([
      store.log.range('lobby', head, head, 1_000),
      store.log.heads(['lobby']),
      store.log.timesAt([{ room: 'lobby', serverOffset: head }]),
    ]);
    expect([entries.length, heads.get('lobby'), at]).toEqual([1, head, 1_000]);
  }
});

it('an append does not wait behind earlier reads', async () => {
  const { store } = await opened();
  await fill(store, 10_000);
  const order: string[] = [];
  // Four of them: on a busy machine one read may be over before an append is on the disk.
  const reading = upTo(4).map(async () => {
    const { entries } = await store.log.range('lobby', 1, 10_000, 100 * MB);
    order.push('read');
    return entries.length;
  });
  const appending = append(store, [text('lobby', newId(), 'short')]).then(() => order.push('append'));
  await appending;
  expect(await Promise.all(reading)).toEqual(upTo(4).map(() => 10_000));
  expect(order.at(-1)).toBe('read');
});

it('an append and a short read do not wait behind all that was asked before them', async () => {
  const { store } = await opened();
  await fill(store, 3_000);
  const order: string[] = [];
  const note = (name: string) => () => void order.push(name);
  const room = (id: string) => ({ id, kind: 'private' as const, name: 'r', createdBy: 'me', createdAt: 1 });
  await Promise.all([
    ...upTo(50).map(() => store.rooms.create(room(newId())).then(note('write'))),
    append(store, [text('lobby', newId(), 'short')]).then(note('append')),
    ...upTo(20).map(() => store.log.range('lobby', 1, 3_000, 100 * MB).then(note('range'))),
    store.log.heads(['lobby']).then(note('heads')),
  ]);
  const before = (name: string, other: string) =>
    order.slice(0, order.indexOf(name)).filter((one) => one === other).length;
  expect(before('append', 'write')).toBeLessThanOrEqual(1);
  expect(before('heads', 'range')).toBeLessThanOrEqual(2);
});

it('L3 a key is found when its append was asked before, however many calls wait', async () => {
  const { store } = await opened();
  const author = newId();
  const found = await Promise.all(
    upTo(300).map((n) => {
      const item = text('lobby', author, `line ${n}`);
      void store.log.append([item], 1);
      return store.log.find([item]);
    }),
  );
  expect(found.flat().map((original) => original?.serverOffset)).toEqual(upTo(300));
});

it('one read sees one snapshot', () => {
  const { db } = openWriter(file);
  const reader = openReader(file);
  onTestFinished(() => {
    reader.close();
    closeWriter(db);
  });
  const heads = readsOn(reader).heads;
  const between = readingOn(reader)(() => {
    const before = heads(['lobby']).get('lobby');
    db.exec(`UPDATE rooms SET head = 7 WHERE id = 'lobby'`);
    return [before, heads(['lobby']).get('lobby')];
  });
  expect(between).toEqual([0, 0]);
  expect(heads(['lobby']).get('lobby')).toBe(7);
});

it('a limited read, and one that fails, hold no snapshot: the WAL file can be checkpointed', () => {
  const { db } = openWriter(file);
  const reader = openReader(file);
  onTestFinished(() => {
    reader.close();
    closeWriter(db);
  });
  db.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50)
    INSERT INTO entries (room, serverOffset, author, clientOffset, at, kind, digest)
    SELECT 'lobby', i, 'a', i, 1, 'join', 'd' FROM n; UPDATE rooms SET head = 50 WHERE id = 'lobby'`);
  const [read, { range }] = [readingOn(reader), readsOn(reader)];
  expect(read(() => range('lobby', 1, 50, 200)).entries.length).toBeLessThan(50);
  const failing = () => {
    range('lobby', 1, 50, 200);
    throw new Error('in the middle');
  };
  expect(() => read(failing)).toThrow('in the middle');
  db.exec(`UPDATE rooms SET head = 50`);
  expect(db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()).toMatchObject({ busy: 0 });
  expect(changesBytes()).toBe(0);
});

it('constant reads do not make the WAL file grow without limit', async () => {
  const { store } = await opened();
  await fill(store, 2_000);
  let [isOver, reads] = [false, 0];
  const readOn = async (from: number) => {
    for (; !isOver; reads++) await store.log.range('lobby', from, from + 100, MB);
  };
  const readers = [1, 300, 700, 1_200].map(readOn);
  const tail = await listen(store);
  const author = newId();
  const sizes: number[] = [];
  for (const batch of upTo(80)) {
    await appendNew(
      store,
      upTo(250).map((n) => text('lobby', author, `${batch} ${n} ${'x'.repeat(2_000)}`)),
    );
    sizes.push(changesBytes());
  }
  isOver = true;
  await Promise.all(readers);
  await tail.close();
  expect(reads).toBeGreaterThan(100);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(MOST_CHANGES_BYTES); // while some 70 MB are written
});

it('the reader thread dies: its calls are unavailable, appends and tails go on, and it restarts', async () => {
  const { store, reader } = await opened();
  const tail = await listen(store);
  await append(store, [text('lobby', newId(), 'before')]);
  const asked = store.log.range('lobby', 1, 10, MB).catch((error: unknown) => error);
  await reader().terminate();
  const isDown = expect(store.log.heads(['lobby'])).rejects.toBeInstanceOf(Unavailable);
  const [result] = await append(store, [text('lobby', newId(), 'meanwhile')]);
  expect(result).toMatchObject({ serverOffset: 2 });
  await tail.count(2);
  await isDown;
  const answer = await asked;
  if (answer instanceof Error) expect(answer).toBeInstanceOf(Unavailable);
  await vi.waitFor(() => store.ping(), { timeout: 15_000 });
  expect((await store.log.range('lobby', 1, 10, MB)).entries).toHaveLength(2);
  await tail.close();
});

it('L2 commits that a killed process left in the WAL file are synced before anybody reads them', () => {
  const { db } = openWriter(file);
  const another = new DatabaseSync(file); // keeps the WAL file when the first one is closed
  onTestFinished(() => another.close());
  another.prepare('SELECT count(*) FROM meta').get();
  db.close();
  const before = changesBytes();
  expect(before).toBeGreaterThan(0);
  const again = openWriter(file).db; // its first commit syncs the whole WAL file, because `synchronous` is FULL
  onTestFinished(() => void closeWriter(again));
  expect(changesBytes()).toBeGreaterThan(before);
});
