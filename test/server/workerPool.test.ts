import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  STOPPED_WITHIN_MS,
  WORKER_RESTART_FIRST_MS,
  WORKER_RESTART_MAX_MS,
} from '../../server/base/serverLimits.ts';
import { createWorkerPool, type Worker } from '../../server/workerPool.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

interface FakeWorker extends Worker {
  becomeReady(): void;
  /** Without a code: by a signal. */
  end(code: number | null, signal?: string): void;
  signals: string[];
}

/** `obeys`: a worker ends at SIGTERM. */
function scene({ count = 2, obeys = true } = {}) {
  const forked: FakeWorker[] = [];
  const log = { info: vi.fn(), warn: vi.fn(), error: vi.fn() };
  const fork = () => {
    const ready = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<{ code: number | null; signal: string | null }>();
    const worker: FakeWorker = {
      id: forked.length + 1,
      ready: ready.promise,
      ended: ended.promise,
      signals: [],
      becomeReady: ready.resolve,
      end: (code, signal = 'SIGKILL') => ended.resolve({ code, signal: code === null ? signal : null }),
      kill(signal) {
        worker.signals.push(signal);
        if (signal === 'SIGKILL') worker.end(null);
        else if (obeys) worker.end(0);
      },
    };
    forked.push(worker);
    return worker;
  };
  const pool = createWorkerPool({ count, fork, logger: log, now: Date.now });
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
  const readyIds = () => pool.ready().map(({ id }) => id);
  return { pool, forked, log, pass, readyIds };
}

async function running(options?: Parameters<typeof scene>[0]) {
  const made = scene(options);
  const started = made.pool.start();
  made.forked[0]!.becomeReady();
  expect(await started).toEqual({ tag: 'ready' });
  for (const worker of made.forked) worker.becomeReady();
  await made.pass(0);
  return made;
}

test('the first worker starts alone: it may migrate the database, or find that it cannot start', async () => {
  const { pool, forked, pass } = scene();
  const started = pool.start();
  await pass(WORKER_RESTART_MAX_MS);
  expect(forked).toHaveLength(1);
  forked[0]!.end(78);
  expect(await started).toEqual({ tag: 'ended', code: 78 });
  await pass(WORKER_RESTART_MAX_MS);
  expect(forked).toHaveLength(1);
});

test('a worker that ends is started again, and one that ends again and again later each time, as the log says', async () => {
  const { forked, log, pass, readyIds } = await running();
  forked[0]!.end(null);
  await pass(WORKER_RESTART_FIRST_MS);
  expect(readyIds()).toEqual([2]);
  forked[2]!.becomeReady();
  await pass(0);
  expect(readyIds()).toEqual([2, 3]);
  const delays: number[] = [];
  for (let nth = 0; nth < 9; nth++) {
    const before = forked.length;
    forked.at(-1)!.end(1);
    let waited = 0;
    for (; forked.length === before; waited += WORKER_RESTART_FIRST_MS) await pass(WORKER_RESTART_FIRST_MS);
    delays.push(waited);
  }
  expect(delays.slice(0, 3)).toEqual([200, 400, 800]);
  expect(delays.at(-1)).toBe(WORKER_RESTART_MAX_MS);
  const said = log.warn.mock.calls.map(([{ afterMs }]) => afterMs);
  expect(said).toEqual([WORKER_RESTART_FIRST_MS, ...delays]);
});

test('workers are replaced one by one: the next when the new one is ready and the old one has ended', async () => {
  const { pool, forked, pass, readyIds } = await running({ obeys: false });
  const rolled = pool.roll();
  await pass(0);
  expect(forked).toHaveLength(3);
  expect(forked[0]!.signals).toEqual([]);
  forked[2]!.becomeReady();
  await pass(0);
  expect(forked[0]!.signals).toEqual(['SIGTERM']);
  expect(readyIds()).toEqual([2, 3]);
  expect(forked).toHaveLength(3);
  forked[0]!.end(0);
  await pass(0);
  expect(forked).toHaveLength(4);
  forked[3]!.becomeReady();
  await pass(0);
  forked[1]!.end(0);
  await rolled;
  expect(readyIds()).toEqual([3, 4]);
});

test('a new worker that does not become ready replaces nobody, and the operator reads it', async () => {
  const { pool, forked, log, readyIds, pass } = await running();
  const rolled = pool.roll();
  await pass(0);
  forked[2]!.end(78);
  await rolled;
  await pass(WORKER_RESTART_MAX_MS);
  expect(readyIds()).toEqual([1, 2]);
  expect(forked).toHaveLength(3);
  expect(log.error).toHaveBeenCalledWith(expect.stringContaining('not replaced any further'));
});

test('stopping ends all workers, and kills those that take too long', async () => {
  const orderly = await running();
  expect(await orderly.pool.stop()).toBe(true);
  const stubborn = await running({ obeys: false });
  const stopped = stubborn.pool.stop();
  await stubborn.pass(STOPPED_WITHIN_MS);
  expect(await stopped).toBe(false);
  expect(stubborn.forked.map(({ signals }) => signals)).toEqual([
    ['SIGTERM', 'SIGKILL'],
    ['SIGTERM', 'SIGKILL'],
  ]);
  expect(stubborn.forked).toHaveLength(2);
});

test('stopping is orderly also where SIGTERM itself ends a worker that has only begun', async () => {
  const { pool, forked } = await running({ obeys: false });
  const stopped = pool.stop();
  for (const worker of forked) worker.end(null, 'SIGTERM');
  expect(await stopped).toBe(true);
});

test('a worker that dies while another one starts in its place is not started again: there are never more than wanted', async () => {
  const { pool, forked, pass, readyIds } = await running();
  const rolled = pool.roll();
  await pass(0);
  forked[0]!.end(null);
  await pass(WORKER_RESTART_MAX_MS);
  expect(forked).toHaveLength(3);
  forked[2]!.becomeReady();
  await pass(0);
  forked[3]!.becomeReady();
  await rolled;
  await pass(WORKER_RESTART_MAX_MS);
  expect(readyIds()).toEqual([3, 4]);
});

test('a worker that dies before its turn has its place filled by a new one, which is not replaced', async () => {
  const { pool, forked, pass, readyIds } = await running();
  const rolled = pool.roll();
  await pass(0);
  forked[1]!.end(null);
  await pass(WORKER_RESTART_FIRST_MS);
  for (const worker of forked) worker.becomeReady();
  await rolled;
  await pass(WORKER_RESTART_MAX_MS);
  expect(readyIds()).toEqual([3, 4]);
  expect(forked).toHaveLength(4);
});

test('a worker that dies while another one starts in its place, and that one dies too, has its place filled', async () => {
  const { pool, forked, pass, readyIds } = await running();
  const rolled = pool.roll();
  await pass(0);
  forked[0]!.end(null);
  forked[2]!.end(78);
  await rolled;
  await pass(WORKER_RESTART_FIRST_MS);
  for (const worker of forked) worker.becomeReady();
  await pass(WORKER_RESTART_MAX_MS);
  expect(readyIds()).toEqual([2, 4]);
});

test('a worker is told once to end: stopping while it is being replaced is orderly', async () => {
  const { pool, forked, pass } = await running({ obeys: false });
  void pool.roll();
  await pass(0);
  forked[2]!.becomeReady();
  await pass(0);
  const stopped = pool.stop();
  await pass(0);
  expect(forked.map(({ signals }) => signals)).toEqual([['SIGTERM'], ['SIGTERM'], ['SIGTERM']]);
  for (const worker of forked) worker.end(0);
  expect(await stopped).toBe(true);
});

test('to be replaced while the first one starts: that one starts alone, and the others are replaced when they have begun', async () => {
  const { pool, forked, pass, readyIds } = scene();
  const started = pool.start();
  const rolled = pool.roll();
  await pass(0);
  expect(forked).toHaveLength(1);
  const readyAll = () => {
    for (const worker of forked) worker.becomeReady();
    return pass(0);
  };
  await readyAll();
  expect(await started).toEqual({ tag: 'ready' });
  while (forked.length < 4) await readyAll();
  await readyAll();
  await rolled;
  expect(readyIds()).toEqual([3, 4]);
});
