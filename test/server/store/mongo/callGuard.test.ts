import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  STORE_ANSWERS_WITHIN_MS as ANSWER_WITHIN_MS,
  STORE_CALLS_WAITING,
} from '../../../../server/base/serverLimits.ts';
import { createCallGuard } from '../../../../server/store/mongo/callGuard.ts';
import { Unavailable } from '../../../../server/store/port.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Calls that end when the test says so. */
function scene() {
  const guard = createCallGuard({ warn: () => {} });
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const work = (name: string) => () => {
    begun.push(name);
    return new Promise<string>((resolve) => ends.push(() => resolve(name)));
  };
  const parts = guard.wrap({ short: (name: string) => work(name)(), long: (name: string) => work(name)() }, [
    'long',
  ]);
  const append = (name: string) => guard.pass(work(name), ANSWER_WITHIN_MS, 'append');
  const some = (count: number, one: (n: number) => Promise<unknown>) =>
    Array.from({ length: count }, (_, n) => one(n).catch((error: unknown) => error));
  return { guard, begun, ends, parts, append, some };
}

describe('the calls under way', () => {
  it('are bounded: what waits is begun when others end', async () => {
    const { begun, ends, parts, some } = scene();
    const all = some(40, (n) => parts.short(`${n}`));
    expect(begun).toHaveLength(12);
    while (ends.length > 0) {
      ends.shift()!();
      await vi.advanceTimersByTimeAsync(0);
    }
    expect(await Promise.all(all)).toEqual(Array.from({ length: 40 }, (_, n) => `${n}`));
  });

  it('an append does not wait behind reads, nor a short call behind long ones', async () => {
    const { begun, parts, append, some } = scene();
    some(40, (n) => parts.long(`long ${n}`));
    expect(begun).toHaveLength(4);
    some(1, () => parts.short('short'));
    expect(begun.at(-1)).toBe('short');
    some(40, (n) => parts.short(`short ${n}`));
    some(1, () => append('append'));
    expect(begun.at(-1)).toBe('append');
  });
});

describe('what nobody waits for any more', () => {
  it('is rejected after 7 s, and not begun afterwards', async () => {
    const { guard, begun, ends, parts, some } = scene();
    const all = some(13, (n) => parts.short(`${n}`));
    expect(guard.waiting().others.waiting).toBe(1);
    await vi.advanceTimersByTimeAsync(ANSWER_WITHIN_MS);
    for (const error of await Promise.all(all)) expect(error).toBeInstanceOf(Unavailable);
    for (const end of ends) end();
    await vi.advanceTimersByTimeAsync(0);
    expect(begun).toHaveLength(12);
    expect(guard.waiting().others).toEqual({ waiting: 0, oldestMs: 0 });
  });

  it('a call with a shorter time of its own is not begun either', async () => {
    const { guard, begun, ends, parts, some } = scene();
    some(12, (n) => parts.short(`${n}`));
    const ping = guard.pass(async () => void begun.push('ping'), 2_000).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await ping).toBeInstanceOf(Unavailable);
    ends[0]!();
    ends[1]!();
    await vi.advanceTimersByTimeAsync(0);
    expect(begun).not.toContain('ping');
    some(1, () => parts.short('next'));
    expect(begun).toContain('next'); // the place of the ping is free
  });

  it('a call that hangs counts until it ends, although its caller was told', async () => {
    const { begun, ends, parts, some } = scene();
    some(12, (n) => parts.short(`${n}`));
    await vi.advanceTimersByTimeAsync(ANSWER_WITHIN_MS);
    some(1, () => parts.short('next'));
    expect(begun).not.toContain('next');
    ends[0]!();
    await vi.advanceTimersByTimeAsync(0);
    expect(begun).toContain('next');
  });
});

describe('calls in batches', () => {
  it('answer many callers by one call, and those that wait for the next one count as waiting', async () => {
    const { guard } = scene();
    const ends: (() => void)[] = [];
    const load = (keys: readonly number[]) =>
      new Promise<number[]>((resolve) => ends.push(() => resolve(keys.map((key) => 2 * key))));
    const double = guard.inBatches({ load, most: 2 });
    const answers = Promise.all([1, 2, 3, 4, 5, 6, 7].map(double));
    await vi.advanceTimersByTimeAsync(1_500);
    expect(ends).toHaveLength(2);
    expect(guard.waiting().others).toMatchObject({ waiting: 3 });
    expect(guard.waiting().others.oldestMs).toBeGreaterThanOrEqual(1_500);
    for (let ended = 0; ended < 4; ended++) {
      ends[ended]!();
      await vi.advanceTimersByTimeAsync(1);
    }
    expect(await answers).toEqual([2, 4, 6, 8, 10, 12, 14]);
    expect(guard.waiting().others).toEqual({ waiting: 0, oldestMs: 0 });
  });

  it('that hang are Unavailable within the time of one call, also for those that wait', async () => {
    const { guard } = scene();
    const hang = guard.inBatches({ load: () => new Promise<never>(() => {}), most: 1 });
    const outcomes = Promise.allSettled([1, 2, 3, 4].map(hang));
    await vi.advanceTimersByTimeAsync(ANSWER_WITHIN_MS);
    for (const outcome of await outcomes)
      expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(Unavailable) });
    expect(guard.waiting().others).toEqual({ waiting: 0, oldestMs: 0 });
  });

  it('whose keys wait are bounded for all loads together: further ones are refused as busy, at once', async () => {
    const { guard } = scene();
    const load = () => new Promise<never>(() => {});
    const rooms = Array.from({ length: 30 }, () => guard.inBatches({ load, most: 100 }));
    let busy = 0;
    const ask = () => {
      for (const room of rooms)
        for (let n = 0; n < 1_000; n++)
          room(n).catch(({ message }: Error) => {
            if (message.includes('busy')) busy++;
          });
    };
    ask();
    await vi.advanceTimersByTimeAsync(0);
    expect(busy).toBe(30_000 - STORE_CALLS_WAITING);
    ask();
    await vi.advanceTimersByTimeAsync(0);
    expect(guard.waiting().others.waiting).toBeLessThanOrEqual(STORE_CALLS_WAITING);
    expect(busy).toBeGreaterThan(30_000);
  });
});
