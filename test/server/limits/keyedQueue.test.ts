import { expect, test } from 'vitest';
import { createKeyedQueue } from '../../../server/limits/keyedQueue.ts';

function scene() {
  const state = { now: 0, log: [] as string[] };
  const inTurn = createKeyedQueue({ maxWaiting: 2, waitMs: 100, now: () => state.now });
  /** A work that ends when it is told to. */
  const work = (name: string, key: string) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const done = inTurn(key, async () => {
      state.log.push(`${name} begins`);
      await promise;
      state.log.push(`${name} ends`);
    });
    done.catch(() => {});
    return { done, end: resolve };
  };
  return { state, work, inTurn };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('work of one key runs one at a time, in order; another key does not wait', async () => {
  const { state, work } = scene();
  const [one, two, other] = [work('one', 'ada'), work('two', 'ada'), work('other', 'bo')];
  await settled();
  expect(state.log).toEqual(['one begins', 'other begins']);
  two.end();
  one.end();
  other.end();
  await Promise.all([one.done, two.done, other.done]);
  expect(state.log.filter((line) => !line.startsWith('other'))).toEqual([
    'one begins',
    'one ends',
    'two begins',
    'two ends',
  ]);
});

test('a failure concerns its caller only', async () => {
  const { inTurn } = scene();
  const failing = inTurn('ada', () => Promise.reject(new Error('no')));
  const next = inTurn('ada', async () => 'yes');
  await expect(failing).rejects.toThrow('no');
  expect(await next).toBe('yes');
});

test('the queue of a key has an end, and what has waited too long is never begun', async () => {
  const { state, work } = scene();
  const [running, late, later] = [work('running', 'ada'), work('late', 'ada'), work('later', 'ada')];
  await expect(work('too many', 'ada').done).rejects.toMatchObject({ code: 'unavailable' });
  await settled();
  state.now = 100;
  running.end();
  await expect(late.done).rejects.toMatchObject({ code: 'unavailable', retryAfter: expect.any(Number) });
  await expect(later.done).rejects.toMatchObject({ code: 'unavailable' });
  const again = work('again', 'ada');
  again.end();
  await again.done;
  expect(state.log).toEqual(['running begins', 'running ends', 'again begins', 'again ends']);
});
