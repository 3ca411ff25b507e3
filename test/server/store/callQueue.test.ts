import { describe, expect, test, vi } from 'vitest';
import { createCallQueue, type Lane } from '../../../server/store/callQueue.ts';
import { Unavailable } from '../../../server/store/port.ts';

function scene(options: Partial<Parameters<typeof createCallQueue>[0]> = {}) {
  const time = { now: 0 };
  const queue = createCallQueue({
    mostUnderWay: { first: 1, later: 1, inAll: 1 },
    mostWaiting: 10,
    waitAtMostMs: 8_000,
    now: () => time.now,
    ...options,
  });
  const begun: string[] = [];
  const rejected: string[] = [];
  const add = (lane: Lane, name: string) =>
    queue.add(
      lane,
      () => void begun.push(name),
      (error) => {
        expect(error).toBeInstanceOf(Unavailable);
        rejected.push(name);
      },
    );
  return { time, queue, begun, rejected, add };
}

describe('the order of calls that wait', () => {
  test('a call is begun at once while there is room, and appends go before all that waits', () => {
    const { queue, add, begun } = scene();
    add('later', 'one');
    expect(begun).toEqual(['one']);
    add('later', 'two');
    add('first', 'append');
    add('later', 'three');
    add('first', 'second append');
    expect(begun).toEqual(['one']);
    queue.ended('later');
    queue.ended('first');
    queue.ended('first');
    queue.ended('later');
    expect(begun).toEqual(['one', 'append', 'second append', 'two', 'three']);
  });

  test('what is asked after an append never overtakes it', () => {
    const { queue, add, begun } = scene({ mostUnderWay: { first: 1, later: 2, inAll: 2 } });
    add('first', 'append');
    add('first', 'second append');
    add('later', 'find'); // there would be room for it
    expect(begun).toEqual(['append']);
    queue.ended('first');
    expect(begun).toEqual(['append', 'second append', 'find']);
  });

  test('where each lane has room of its own, short calls do not wait for long ones, nor long ones for ever', () => {
    const { queue, add, begun } = scene({ mostUnderWay: { first: 2, later: 1, inAll: Infinity } });
    for (const n of [1, 2, 3]) add('later', `long ${n}`);
    for (const n of [1, 2, 3, 4]) add('first', `short ${n}`);
    expect(begun).toEqual(['long 1', 'short 1', 'short 2']);
    queue.ended('later');
    queue.ended('first');
    expect(begun.slice(3)).toEqual(['long 2', 'short 3']);
  });
});

describe('the end of the queue', () => {
  test('a call that waited for 8 s is rejected without having been begun; later ones are begun', () => {
    const { queue, add, time, begun, rejected } = scene();
    add('first', 'slow');
    add('first', 'late');
    add('later', 'late as well');
    time.now = 1;
    add('first', 'in time');
    time.now = 8_000;
    queue.ended('first');
    expect(rejected).toEqual(['late', 'late as well']);
    expect(begun).toEqual(['slow', 'in time']);
  });

  test('it is rejected also while the call under way never ends', () => {
    vi.useFakeTimers();
    try {
      const { add, begun, rejected } = scene({ now: () => Date.now() });
      add('first', 'hangs');
      add('later', 'waits');
      vi.advanceTimersByTime(4_000);
      add('first', 'came later');
      vi.advanceTimersByTime(4_000);
      expect(rejected).toEqual(['waits']);
      vi.advanceTimersByTime(4_000);
      expect(rejected).toEqual(['waits', 'came later']);
      expect(begun).toEqual(['hangs']);
    } finally {
      vi.useRealTimers();
    }
  });

  test('beyond its length a call is rejected at once', () => {
    const { queue, add, begun, rejected } = scene({ mostWaiting: 2 });
    for (const n of [1, 2, 3, 4]) add(n % 2 ? 'first' : 'later', `${n}`);
    expect([begun, rejected]).toEqual([['1'], ['4']]);
    queue.ended('first');
    add('first', '5');
    expect(rejected).toEqual(['4']);
  });

  test('its state: how many wait, and since when', () => {
    const { queue, add, time } = scene();
    add('first', 'under way');
    expect(queue.state()).toEqual({ waiting: 0, oldestMs: 0 });
    add('later', 'one');
    time.now = 30;
    add('first', 'two');
    time.now = 50;
    expect(queue.state()).toEqual({ waiting: 2, oldestMs: 50 });
    queue.ended('first');
    expect(queue.state()).toEqual({ waiting: 1, oldestMs: 50 });
  });
});

test('when the thread dies, all that waits is rejected, and the queue works again', async () => {
  const { queue, add, begun, rejected } = scene();
  add('first', 'under way');
  add('first', 'waits');
  queue.clear('The database is not open.');
  expect([begun, rejected]).toEqual([['under way'], ['waits']]);
  await queue.idle();
  add('first', 'next');
  expect(begun).toEqual(['under way', 'next']);
});

test('a call that cannot be begun is rejected, and the next one is begun', () => {
  const { queue, begun, add } = scene();
  const failed: Error[] = [];
  add('first', 'under way');
  queue.add(
    'first',
    () => {
      throw new Error('cannot be posted');
    },
    (error) => failed.push(error),
  );
  add('first', 'next');
  queue.ended('first');
  expect(failed.map(({ message }) => message)).toEqual(['cannot be posted']);
  expect(begun).toEqual(['under way', 'next']);
});

test('idle resolves when nothing waits and nothing is under way', async () => {
  const { queue, add } = scene();
  add('first', 'one');
  add('later', 'two');
  let isIdle = false;
  const idle = queue.idle().then(() => {
    isIdle = true;
  });
  queue.ended('first');
  await new Promise(setImmediate);
  expect(isIdle).toBe(false);
  queue.ended('later');
  await idle;
});

test('ten thousand calls keep their order', () => {
  const { queue, begun, add } = scene({ mostWaiting: 20_000 });
  const names = Array.from({ length: 10_000 }, (_, n) => `${n}`);
  for (const name of names) add('first', name);
  for (const _ of names) queue.ended('first');
  expect(begun).toEqual(names);
});
