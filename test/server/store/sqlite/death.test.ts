/** The process or the thread dies during batches. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { expect, it, onTestFinished, vi } from 'vitest';
import { type AppendResult, type NewEntry, type Store, Unavailable } from '../../../../server/store/port.ts';
import { appendOn } from '../../../../server/store/sqlite/append.ts';
import { closeWriter, openWriter } from '../../../../server/store/sqlite/connections.ts';
import { openSqlite } from '../../../../server/store/sqlite/index.ts';
import { append, listen, newId, text, upTo, wholeLog } from '../../../contract/support.ts';
import { newFolder, silent } from './harness.ts';

async function newFile(): Promise<string> {
  const folder = await newFolder();
  onTestFinished(() => rm(folder, { recursive: true }));
  return join(folder, 'holdfast.db');
}

it('L1 L4 repeated kill -9 during batches: every acknowledged entry is there, without a gap', {
  timeout: 60_000,
}, async () => {
  const file = await newFile();
  const acknowledged: { item: NewEntry; result: AppendResult }[] = [];
  for (const round of upTo(5)) {
    const script = fileURLToPath(new URL('./child.ts', import.meta.url));
    const child = spawn(process.execPath, [script, 'write', file], { stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = once(child, 'exit');
    let lines = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      if (!line.endsWith('}')) continue; // cut off by the kill
      acknowledged.push(JSON.parse(line));
      if (++lines === round * 150 + 7) child.kill('SIGKILL');
    }
    await exited;
    await verify(file);
  }

  async function verify(path: string): Promise<void> {
    const store = await openSqlite({ file: path, log: silent });
    const found = await store.log.find(acknowledged.map(({ item }) => item));
    expect(found).toEqual(
      acknowledged.map(({ item, result }) => ({ ...result, tag: undefined, digest: item.digest })),
    );
    for (const { id, head } of await store.rooms.listPublic(undefined, 10)) {
      expect((await wholeLog(store, id)).map((entry) => entry.serverOffset)).toEqual(upTo(head!));
    }
    await store.close();
  }
});

async function openWatched(): Promise<{ store: Store; file: string; writer(): Worker; reader(): Worker }> {
  const latest = new Map<string | null, Worker>();
  const onWorker = (started: Worker) => {
    latest.set(started.threadName, started);
  };
  process.on('worker', onWorker);
  const file = await newFile();
  const store = await openSqlite({ file, log: silent });
  onTestFinished(async () => {
    await store.close();
    process.off('worker', onWorker);
  });
  return {
    store,
    file,
    writer: () => latest.get('sqlite writer')!,
    reader: () => latest.get('sqlite reader')!,
  };
}

/** A thread takes a second to start on a busy machine. */
async function backAgain(store: Store): Promise<void> {
  await vi.waitFor(() => store.ping(), { timeout: 15_000 });
}

it('L4 a thread dies: pending calls are unavailable, it restarts, and every item is there once', async () => {
  const { store, writer } = await openWatched();
  const author = newId();
  const tail = await listen(store);
  const batches = upTo(200).map((n) => upTo(5).map((m) => text('lobby', author, `${n}.${m}`)));

  const asked = batches.map((items) => store.log.append(items, 1));
  const killed = Promise.all(asked.slice(0, 20)).then(() => writer().terminate());
  const outcomes = await Promise.all(asked);
  await killed;
  const stopped = outcomes.filter((outcome) => outcome.stopped);
  expect(stopped.length).toBeGreaterThan(0);
  expect(stopped.length).toBeLessThanOrEqual(180);
  for (const { results, stopped: why } of stopped) {
    expect(results).toEqual([]);
    expect(why).toBeInstanceOf(Unavailable);
  }

  await backAgain(store);
  for (const [n, { results }] of outcomes.entries()) {
    const again = await append(store, batches[n]!, 2);
    if (results.length > 0) expect(again).toEqual(results.map((result) => ({ ...result, tag: 'repeat' })));
  }
  const log = await wholeLog(store, 'lobby');
  expect(log).toHaveLength(1_000);
  expect(new Set(log.map((entry) => entry.clientOffset)).size).toBe(1_000);

  // commits whose answer was lost with the thread reach the tail as well, in order
  await tail.count(1_000);
  expect(tail.seen.map(({ entry }) => entry)).toEqual(log);
  await tail.close();
});

it('L2 a commit whose answer was lost with the thread reaches the tail, even without later writes', async () => {
  const { store, file, writer } = await openWatched();
  const tail = await listen(store);
  await append(store, [text('lobby', newId(), 'heard')]);
  await tail.count(1);
  await store.ping(); // calls are answered in order, so the tail has finished its reads
  await writer().terminate();
  const { db } = openWriter(file); // before the next thread opens it: a commit that no one is notified of
  appendOn(db)([text('lobby', newId(), 'unheard')], 1);
  closeWriter(db);
  await tail.count(2);
  expect(tail.seen[1]).toMatchObject({ room: 'lobby', entry: { serverOffset: 2, body: 'unheard' } });
});

it('a thread that dies repeatedly is restarted, and a tail reports when it receives nothing', async () => {
  const { store, writer } = await openWatched();
  const tail = await store.log.tail(undefined, { onBatch: () => {}, onGap: () => {} });
  for (const n of upTo(3)) {
    await writer().terminate();
    await nextTurn();
    expect(tail.isOpen()).toBe(false);
    await expect(store.ping()).rejects.toBeInstanceOf(Unavailable);
    await backAgain(store);
    expect(tail.isOpen()).toBe(true);
    expect(await append(store, [text('lobby', newId(), 'x')])).toMatchObject([{ serverOffset: n }]);
  }
});

it('closing works while the thread is down', async () => {
  const { store, writer } = await openWatched();
  await writer().terminate();
  await store.close();
  await expect(store.ping()).rejects.toBeInstanceOf(Unavailable);
});
