import { expect, test } from 'vitest';
import { createBatchLoader } from '../../../server/base/batchLoader.ts';
import { Unavailable } from '../../../server/base/refusal.ts';

/** A loader whose loads end when the test says so. */
function scene(options: { most?: number; sizeOf?: (key: string) => number; mostWaiting?: number } = {}) {
  const loads: { keys: readonly string[]; end: () => void; fail: (error: Error) => void }[] = [];
  const load = createBatchLoader<string, string>({
    load: (keys) =>
      new Promise((resolve, reject) => {
        loads.push({ keys, end: () => resolve(keys.map((key) => `of ${key}`)), fail: reject });
      }),
    most: 100,
    ...options,
  });
  return { load, loads, asked: () => loads.map(({ keys }) => keys.join(' ')) };
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
  const { load, loads, asked } = scene({ mostWaiting: 2 });
  for (const key of ['a', 'b']) {
    void load(key);
    await turn();
  }
  void load('c');
  void load('d');
  expect(load.state()).toEqual({ waiting: 2, oldestMs: expect.any(Number) });
  await expect(load('e')).rejects.toThrow('The server is busy; try again.');
  loads[0]!.end();
  await turn();
  await turn();
  expect(load.state()).toEqual({ waiting: 0, oldestMs: 0 });
  void load('f');
  expect(asked()).toEqual(['a', 'b', 'c d']);
});
