import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createFairSemaphore } from '../../../server/limits/fairSemaphore.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Works that record their beginning, in order, and end when told. */
function setUp({ maxRunning = 1, maxWaiting = 4, waitMs = 1_000 } = {}) {
  const semaphore = createFairSemaphore({ maxRunning, maxWaiting, waitMs });
  const begun: string[] = [];
  const refused: string[] = [];
  const ends = new Map<string, () => void>();
  /** `name`: of the work; its first letter is its lane. */
  const ask = (name: string, { key = name, preferred = false } = {}) => {
    const work = () =>
      new Promise<void>((resolve) => {
        begun.push(name);
        ends.set(name, resolve);
      });
    return semaphore({ lane: name[0]!, key, preferred }, work).catch((error) => {
      expect(error).toMatchObject({ code: 'unavailable', retryAfter: expect.any(Number) });
      refused.push(name);
    });
  };
  const end = async (name: string) => {
    ends.get(name)!();
    await vi.advanceTimersByTimeAsync(0);
  };
  /** Ends what runs until nothing waits. */
  const endAll = async () => {
    await vi.advanceTimersByTimeAsync(0);
    for (let i = 0; i < begun.length; i++) await end(begun[i]!);
  };
  return { semaphore, begun, refused, ask, end, endAll };
}

test('so much runs at once, and the result and the error of a work are those of the caller', async () => {
  const { semaphore, begun, ask, end } = setUp({ maxRunning: 2 });
  for (const name of ['a', 'b', 'c']) void ask(name);
  await vi.advanceTimersByTimeAsync(0);
  expect(begun).toEqual(['a', 'b']);
  await end('a');
  expect(begun).toEqual(['a', 'b', 'c']);
  await end('b');
  const turn = { lane: 'd', key: 'd', preferred: false };
  await expect(semaphore(turn, () => Promise.reject(new Error('mine')))).rejects.toThrow('mine');
  expect(await semaphore(turn, async () => 'free again')).toBe('free again');
});

test('lanes alternate, however much waits in one of them', async () => {
  const { begun, ask, endAll } = setUp({ maxWaiting: 10 });
  for (const name of ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1']) void ask(name);
  await endAll();
  expect(begun).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4']);
});

test('a lane that comes later waits for one turn of each lane, not for everything that came before it', async () => {
  const { begun, ask, end, endAll } = setUp({ maxWaiting: 10 });
  for (const name of ['a1', 'a2', 'a3', 'b1']) void ask(name);
  await vi.advanceTimersByTimeAsync(0);
  await end('a1'); // begins b1
  await end('b1'); // begins a2
  void ask('c1');
  await endAll();
  expect(begun).toEqual(['a1', 'b1', 'a2', 'c1', 'a3']);
});

test('in a full queue the newest work of the longest lane is refused, also in favour of another lane', async () => {
  const { begun, refused, ask, endAll } = setUp({ maxWaiting: 4 });
  for (const name of ['a1', 'a2', 'a3', 'a4', 'a5', 'a6']) void ask(name);
  await vi.advanceTimersByTimeAsync(0);
  expect(refused).toEqual(['a6']);
  for (const name of ['b1', 'c1', 'd1', 'e1']) void ask(name);
  await vi.advanceTimersByTimeAsync(0);
  expect(refused).toEqual(['a6', 'a5', 'a4', 'a3', 'e1']); // then each lane has one
  await endAll();
  expect(begun).toEqual(['a1', 'b1', 'c1', 'd1', 'a2']);
});

test('what has waited too long is refused at that time and never begun', async () => {
  const { begun, refused, ask, endAll } = setUp({ waitMs: 1_000 });
  void ask('a1');
  void ask('a2');
  await vi.advanceTimersByTimeAsync(999);
  expect(refused).toEqual([]);
  void ask('b1');
  await vi.advanceTimersByTimeAsync(1);
  expect(refused).toEqual(['a2']);
  await endAll();
  expect(begun).toEqual(['a1', 'b1']);
});

test('a lane whose work was refused is not behind for that', async () => {
  const { begun, ask, endAll } = setUp({ maxWaiting: 2, waitMs: 1_000 });
  void ask('a1');
  for (let i = 0; i < 5; i++) {
    for (let j = 0; j < 4; j++) void ask('b');
    await vi.advanceTimersByTimeAsync(1_000);
  }
  void ask('b1');
  void ask('c1');
  await endAll();
  expect(begun).toEqual(['a1', 'b1', 'c1']);
});

test('work with one key runs one at a time, and does not hold up others', async () => {
  const { begun, ask, end } = setUp({ maxRunning: 2 });
  void ask('a1', { key: 'ada' });
  void ask('b1', { key: 'ada' });
  void ask('c1', { key: 'cy' });
  await vi.advanceTimersByTimeAsync(0);
  expect(begun).toEqual(['a1', 'c1']);
  await end('c1');
  expect(begun).toEqual(['a1', 'c1']);
  await end('a1');
  expect(begun).toEqual(['a1', 'c1', 'b1']);
});

test('preferred work goes first and takes the place of other work; every fourth turn is for the others', async () => {
  const { begun, refused, ask, endAll } = setUp({ maxWaiting: 6 });
  void ask('a0');
  for (const name of ['s', 't', 'u', 'v', 'w', 'x']) void ask(name);
  for (const name of ['a', 'b', 'c', 'd']) void ask(name, { preferred: true });
  await endAll();
  expect(refused).toEqual(['s', 't', 'u', 'v']);
  expect(begun).toEqual(['a0', 'a', 'b', 'w', 'c', 'd', 'x']);
});
