import { afterEach, describe, expect, test, vi } from 'vitest';
import { createBatchLoader, type WaitingKey } from '../../../server/base/batchLoader.ts';
import { Unavailable } from '../../../server/base/refusal.ts';
import { STORE_ANSWERS_WITHIN_MS } from '../../../server/base/serverLimits.ts';

afterEach(() => {
  vi.useRealTimers();
});

/** A loader whose loads end when the test says so. */
function scene(
  options: { most?: number; sizeOf?: (key: string) => number; mostWaiting?: () => number } = {},
) {
  const loads: { keys: readonly string[]; end: () => void; fail: (error: Error) => void }[] = [];
  const waiting = new Set<WaitingKey>();
  const load = createBatchLoader<string, string>({
    waitingOfAll: waiting,
    load: (keys) =>
      new Promise((resolve, reject) => {
        loads.push({ keys, end: () => resolve(keys.map((key) => `of ${key}`)), fail: reject });
      }),
    most: 100,
    ...options,
  });
  return { load, loads, waiting, asked: () => loads.map(({ keys }) => keys.join(' ')) };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test('keys that are asked for in one turn are one load, and each caller gets the result of its key', async () => {
  const { load, loads, asked } = scene();
  const results = Promise.all(['a', 'b', 'a'].map(load));
  await turn();
  loads[0]!.end();
  expect(await results).toEqual(['of a', 'of b', 'of a']);
  expect(asked()).toEqual(['a b a']);
});

test('while two loads are under way further keys are collected, and the next load takes all of them', async () => {
  const { load, loads, asked } = scene();
  for (const key of ['a', 'b', 'c', 'd', 'e']) {
    void load(key);
    await turn();
  }
  expect(asked()).toEqual(['a', 'b']);
  loads[1]!.end(); // the first one hangs
  await turn();
  await turn();
  expect(asked()).toEqual(['a', 'b', 'c d e']);
});

test('nothing is kept: a key that was just loaded is loaded again, also while a load of it is under way', async () => {
  const { load, loads, asked } = scene();
  const first = load('a');
  await turn();
  const second = load('a');
  await turn();
  expect(asked()).toEqual(['a', 'a']);
  for (const { end } of loads) end();
  await Promise.all([first, second]);
  void load('a');
  await turn();
  expect(asked()).toEqual(['a', 'a', 'a']);
});

test('a load takes a bounded number of keys, in the order in which they were asked for', async () => {
  const { load, loads, asked } = scene({ most: 2 });
  void Promise.all(['a', 'b', 'c', 'd', 'e', 'f', 'g'].map(load));
  await turn();
  await turn();
  expect(asked()).toEqual(['a b', 'c d']);
  loads[0]!.end();
  await turn();
  await turn();
  expect(asked()).toEqual(['a b', 'c d', 'e f']);
});

test('large keys count for more, and one that is larger than a load is loaded alone', async () => {
  const { load, loads, asked } = scene({ most: 4, sizeOf: (key) => key.length });
  void Promise.all(['a', 'bbb', 'cc', 'ddddddd', 'e'].map(load));
  for (let ended = 0; ended < 4; ended++) {
    await turn();
    await turn();
    loads[ended]!.end();
  }
  expect(asked()).toEqual(['a bbb', 'cc', 'ddddddd', 'e']);
});

test('where the store is away all callers of that load get its error, and the next load is a new one', async () => {
  const { load, loads, asked } = scene();
  const outcomes = Promise.allSettled(['a', 'b'].map(load));
  await turn();
  const away = new Unavailable('away');
  loads[0]!.fail(away);
  expect(await outcomes).toEqual(['a', 'b'].map(() => ({ status: 'rejected', reason: away })));
  const next = load('a');
  await turn();
  loads[1]!.end();
  expect(await next).toBe('of a');
  expect(asked()).toEqual(['a b', 'a']);
});

test('a key that cannot be loaded does no harm to the others of its load', async () => {
  const bug = new TypeError('a document that was changed by hand');
  const load = createBatchLoader<string, string>({
    load: async (keys) => {
      if (keys.includes('bad')) throw bug;
      return keys.map((key) => `of ${key}`);
    },
    most: 100,
  });
  expect(await Promise.allSettled(['a', 'bad', 'b'].map(load))).toEqual([
    { status: 'fulfilled', value: 'of a' },
    { status: 'rejected', reason: bug },
    { status: 'fulfilled', value: 'of b' },
  ]);
});

test('a load that throws instead of rejecting fails like one that rejects', async () => {
  const load = createBatchLoader<string, string>({
    load: () => {
      throw new Unavailable('closed');
    },
    most: 100,
  });
  await expect(load('a')).rejects.toThrow('closed');
  await expect(load('a')).rejects.toThrow('closed');
});

test('the keys that wait are bounded: further ones are refused at once, and fit again after a load', async () => {
  const { load, loads, waiting, asked } = scene({ mostWaiting: () => 2 });
  for (const key of ['a', 'b']) {
    void load(key);
    await turn();
  }
  void load('c');
  void load('d');
  expect(waiting.size).toBe(2);
  await expect(load('e')).rejects.toThrow('The server is busy; try again.');
  loads[0]!.end();
  await turn();
  await turn();
  expect(waiting.size).toBe(0);
  void load('f');
  expect(asked()).toEqual(['a', 'b', 'c d']);
});

describe('a caller has its answer within the time of one call', () => {
  test('a key whose caller was told that the server is slow is not loaded any more', async () => {
    vi.useFakeTimers();
    const { load, loads, waiting, asked } = scene({ most: 1 });
    const outcomes = Promise.allSettled(['a', 'b', 'c', 'd'].map(load));
    await vi.advanceTimersByTimeAsync(STORE_ANSWERS_WITHIN_MS);
    for (const outcome of await outcomes)
      expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(Unavailable) });
    expect(waiting.size).toBe(0);
    const fresh = load('fresh');
    loads[0]!.end();
    loads[1]!.end();
    await vi.advanceTimersByTimeAsync(1);
    loads[2]!.end();
    expect(await fresh).toBe('of fresh');
    expect(asked()).toEqual(['a', 'b', 'fresh']);
  });

  test('whoever asks again gets an answer within a few rounds, although one slow key keeps coming', async () => {
    vi.useFakeTimers();
    const load = createBatchLoader<string, string>({
      load: async (keys) => {
        if (keys.includes('slow'))
          await new Promise((_, reject) =>
            setTimeout(() => reject(new Unavailable('slow')), STORE_ANSWERS_WITHIN_MS),
          );
        return keys;
      },
      most: 100,
    });
    let left = ['slow', ...Array.from({ length: 99 }, (_, n) => `${n}`)];
    const counts: number[] = [];
    for (let round = 0; round < 5; round++) {
      const outcomes = Promise.allSettled(left.map(load));
      await vi.advanceTimersByTimeAsync(STORE_ANSWERS_WITHIN_MS);
      const settled = await outcomes;
      left = left.filter((_, i) => settled[i]!.status === 'rejected');
      counts.push(left.length);
      void load('alone'); // a load of one key says nothing about larger ones
      await vi.advanceTimersByTimeAsync(1);
    }
    expect(counts).toEqual([100, 25, 6, 1, 1]);
  });

  test('after a slow load the loads become as large again as they were', async () => {
    vi.useFakeTimers();
    const { load, loads, asked } = scene({ most: 8 });
    const ask = (count: number) => {
      for (let n = 0; n < count; n++) load('k').catch(() => {});
      return vi.advanceTimersByTimeAsync(1);
    };
    await ask(8);
    await vi.advanceTimersByTimeAsync(STORE_ANSWERS_WITHIN_MS);
    loads[0]!.fail(new Unavailable('slow'));
    await vi.advanceTimersByTimeAsync(1);
    await ask(100);
    for (let ended = 1; ended < loads.length; ended++) {
      loads[ended]!.end();
      await vi.advanceTimersByTimeAsync(1);
    }
    const sizes = asked().map((keys) => keys.split(' ').length);
    expect([...new Set(sizes.slice(1))].slice(0, 3)).toEqual([2, 4, 8]);
  });

  test('where the store is away, and fails at once, the loads stay as large as they are', async () => {
    const { load, loads, asked } = scene({ most: 4 });
    for (let round = 0; round < 2; round++) {
      const outcomes = Promise.allSettled(['a', 'b', 'c', 'd'].map(load));
      await turn();
      loads[round]!.fail(new Unavailable('away'));
      await outcomes;
    }
    expect(asked()).toEqual(['a b c d', 'a b c d']);
  });
});
