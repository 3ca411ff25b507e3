import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  FRAME_COALESCE_MS,
  FRAMES_BURST,
  STORE_ANSWERS_WITHIN_MS,
} from '../../../server/base/serverLimits.ts';
import { createCoalescer, createFeed, createHeadLoader, createSentNames } from '../../../server/feed/feed.ts';
import type { Broadcast } from '../../../server/feed/recipient.ts';
import { type LogStore, type TailListener, Unavailable } from '../../../server/store/port.ts';
import type { Entry } from '../../../shared/entry.ts';
import type { Entries } from '../../../shared/protocol/index.ts';
import { waitFor } from '../../support/waitFor.ts';

function feedOn(
  log: LogStore,
  {
    broadcast = () => {},
    onGap = () => {},
    onLag = () => {},
    ticks = () => performance.now(),
  }: { broadcast?: Broadcast; onGap?: () => void; onLag?: (ms: number) => void; ticks?: () => number } = {},
) {
  return createFeed({
    log,
    names: { of: async () => ({}), ofUsers: async () => ({}) },
    broadcast,
    onMembership: () => {},
    onAbout: () => {},
    onBegun: () => {},
    onGap,
    onLag,
    onFanOut: () => {},
    ticks,
    now: Date.now,
  });
}

describe('on a store that is closed', () => {
  let queries = 0;
  const log = {
    heads: () => {
      queries++;
      return Promise.reject(new Unavailable('closed'));
    },
    range: () => Promise.reject(new Unavailable('closed')),
    tail: async () => ({ isOpen: () => true, close: async () => {} }),
  } as unknown as LogStore;

  test('a room that is hosted after the feed was closed does not retry, and nobody waits for it', async () => {
    const feed = feedOn(log);
    await feed.start();
    await feed.close();
    await feed.host('r').opening();
  });

  test('a room that cannot be opened does not block the event loop', async () => {
    queries = 0;
    const feed = feedOn(log);
    await feed.start();
    feed.host('r');
    await new Promise((resolve) => setTimeout(resolve, 1)); // never fires if retries run in microtasks
    await feed.close();
    expect(queries).toBe(1);
  });
});

describe('after a gap of the tail', () => {
  function scene(heads: Map<string, number>) {
    const queries: (readonly string[])[] = [];
    const delivered: string[] = [];
    let listener: TailListener | undefined;
    let failures = 0;
    let gaps = 0;
    const entry = (serverOffset: number): Entry => {
      return { serverOffset, author: 'a', clientOffset: String(serverOffset), at: 0, kind: 'join' };
    };
    const log = {
      heads: async (rooms: readonly string[]) => {
        queries.push(rooms);
        if (failures-- > 0) throw new Unavailable('away');
        return new Map(rooms.map((room) => [room, heads.get(room) ?? 0]));
      },
      range: async (_room: string, from: number, to: number) => {
        const entries = Array.from({ length: to - from + 1 }, (_, i) => entry(from + i));
        return { entries, amendments: [], head: to };
      },
      tail: async (_from: undefined, given: TailListener) => {
        listener = given;
        return { isOpen: () => true, close: async () => {} };
      },
    } as unknown as LogStore;
    const broadcast: Broadcast = (room, _name, frame) =>
      void delivered.push(...(frame as Entries).entries.map(({ serverOffset }) => `${room}${serverOffset}`));
    return {
      feed: feedOn(log, { broadcast, onGap: () => void gaps++ }),
      queries,
      delivered,
      gaps: () => gaps,
      gap: () => listener!.onGap(),
      failNext: (count: number) => {
        failures = count;
      },
    };
  }

  test('S2 the heads of all hosted rooms are read in one query, and missing entries are read', async () => {
    const heads = new Map([
      ['a', 1],
      ['b', 5],
      ['c', 2],
    ]);
    const { feed, queries, delivered, gap, gaps, failNext } = scene(heads);
    await feed.start();
    await Promise.all(['a', 'b', 'c'].map((room) => feed.host(room).opening()));
    expect(queries).toEqual([['a', 'b', 'c']]);
    heads.set('a', 3).set('c', 4);
    failNext(1);
    gap();
    expect(gaps()).toBe(1);
    await waitFor('the missing entries', () => delivered.length === 4);
    expect(delivered.toSorted()).toEqual(['a2', 'a3', 'c3', 'c4']);
    expect(queries.slice(1)).toEqual([
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
    ]);
    await feed.close();
  });

  test('with no room hosted, nothing is read', async () => {
    const { feed, queries, gap, gaps } = scene(new Map());
    await feed.start();
    gap();
    expect([gaps(), queries]).toEqual([1, []]);
    await feed.close();
  });
});

describe('where the clock of the machine is set back', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  async function scene() {
    const frames: Entry[][] = [];
    const lags: number[] = [];
    let listener: TailListener | undefined;
    const log = {
      heads: async () => new Map([['r', 0]]),
      tail: async (_from: undefined, given: TailListener) => {
        listener = given;
        return { isOpen: () => true, close: async () => {} };
      },
    } as unknown as LogStore;
    const feed = feedOn(log, {
      broadcast: (_room, _name, frame) => void frames.push((frame as Entries).entries),
      onLag: (ms) => void lags.push(ms),
    });
    await feed.start();
    await feed.host('r').opening();
    const commit = (serverOffset: number, at = Date.now()) => {
      const entry: Entry = { serverOffset, author: 'a', clientOffset: '', at, kind: 'join' };
      listener!.onBatch([{ room: 'r', entry }], String(serverOffset));
    };
    return { commit, frames, lags };
  }

  test('the frames of a busy room are sent in the ordinary time', async () => {
    const { commit, frames } = await scene();
    const offsets = Array.from({ length: FRAMES_BURST + 4 }, (_, i) => i + 1);
    for (const offset of offsets) commit(offset);
    vi.setSystemTime(Date.now() - 20_000);
    await vi.advanceTimersByTimeAsync(2 * FRAME_COALESCE_MS);
    expect(frames.flat().map(({ serverOffset }) => serverOffset)).toEqual(offsets);
  });

  test('entries with a later time have no negative lag: a sum of the metrics never falls', async () => {
    const { commit, lags } = await scene();
    commit(1, Date.now() + 20_000);
    expect(lags).toEqual([0]);
  });
});

describe('the head loader', () => {
  test('loads 500 rooms that are asked for in one turn in one query', async () => {
    const queries: (readonly string[])[] = [];
    const headOf = createHeadLoader({
      heads: async (rooms) => {
        queries.push(rooms);
        return new Map(rooms.map((room) => [room, Number(room)]));
      },
    });
    const rooms = Array.from({ length: 500 }, (_, i) => String(i));
    const first = Promise.all(rooms.map(headOf));
    expect(await first).toEqual(rooms.map(Number));
    expect(await headOf('7')).toBe(7);
    expect(queries).toEqual([rooms, ['7']]);
  });

  test('rejects all callers of a query that fails, and makes a new query for the next one', async () => {
    let failures = 1;
    const headOf = createHeadLoader({
      heads: async (rooms) => {
        if (failures-- > 0) throw new Unavailable('away');
        return new Map(rooms.map((room) => [room, 3]));
      },
    });
    const results = await Promise.allSettled([headOf('a'), headOf('b')]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await headOf('a')).toBe(3);
  });

  test('whoever waits for a query that hangs is told within the time of one query', async () => {
    vi.useFakeTimers();
    const headOf = createHeadLoader({
      heads: () =>
        new Promise((_, reject) =>
          setTimeout(() => reject(new Unavailable('slow')), STORE_ANSWERS_WITHIN_MS),
        ),
    });
    const outcomes: Promise<unknown>[] = [];
    for (const room of ['a', 'b', 'c', 'd']) {
      outcomes.push(headOf(room).catch((error: unknown) => error));
      await vi.advanceTimersByTimeAsync(10);
    }
    let isSettled = false;
    void Promise.all(outcomes).then(() => (isSettled = true));
    await vi.advanceTimersByTimeAsync(STORE_ANSWERS_WITHIN_MS);
    expect(isSettled).toBe(true);
    for (const outcome of outcomes) expect(await outcome).toBeInstanceOf(Unavailable);
    vi.useRealTimers();
  });
});

describe('the coalescer', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function frames() {
    const sent: number[][] = [];
    const send = createCoalescer<number>(
      async (items) => void sent.push(items),
      () => performance.now(),
    );
    return { sent, send };
  }

  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

  test('a burst of a few entries is sent at once, one frame each', async () => {
    const { sent, send } = frames();
    const items = Array.from({ length: FRAMES_BURST }, (_, i) => i);
    for (const item of items) send([item]);
    await pass(0);
    expect(sent).toEqual(items.map((item) => [item]));
  });

  test('under load the entries of 15 ms are one frame', async () => {
    const { sent, send } = frames();
    for (let ms = 0; ms < 1_500; ms++) {
      send([ms]);
      await pass(1);
    }
    await pass(FRAME_COALESCE_MS);
    expect(sent.flat()).toEqual(Array.from({ length: 1_500 }, (_, i) => i));
    expect(sent.length).toBeLessThanOrEqual(FRAMES_BURST + 1_500 / FRAME_COALESCE_MS + 1);
    expect(Math.max(...sent.map((frame) => frame.length))).toBeLessThanOrEqual(FRAME_COALESCE_MS + 1);
  });

  test('after a quiet time, entries are sent at once again', async () => {
    const { sent, send } = frames();
    for (let i = 0; i < 2 * FRAMES_BURST; i++) send([i]);
    await pass(FRAME_COALESCE_MS * (FRAMES_BURST + 1));
    const before = sent.length;
    send([-1]);
    await pass(0);
    expect(sent.slice(before)).toEqual([[-1]]);
  });

  test('L2 frames are sent one at a time and in order, however long one takes', async () => {
    const started: number[][] = [];
    const finish: (() => void)[] = [];
    const send = createCoalescer<number>(
      (items) => {
        started.push(items);
        return new Promise((resolve) => finish.push(resolve));
      },
      () => performance.now(),
    );
    for (const item of [1, 2, 3]) send([item]);
    await pass(1_000);
    expect(started).toEqual([[1]]);
    finish[0]!();
    await pass(0);
    expect(started).toEqual([[1], [2]]);
  });
});

describe('names that are sent to a room', () => {
  const [ada, bo] = [
    { name: 'Ada', rev: 0 },
    { name: 'Bo', rev: 3 },
  ];

  test('are sent once, and again after a change of the name or after a client joined', () => {
    const names = createSentNames();
    expect(names.without({ ada })).toEqual({ ada });
    expect(names.without({ ada, bo })).toEqual({ bo });
    expect(names.without({ ada, bo })).toEqual({});
    expect(names.without({ ada: { name: 'Ada L.', rev: 4 } })).toEqual({ ada: { name: 'Ada L.', rev: 4 } });
    names.clear();
    expect(names.without({ bo })).toEqual({ bo });
  });

  test('are remembered up to a number: beyond it they are sent again', () => {
    const names = createSentNames();
    const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`user ${i}`, ada]));
    names.without(many);
    expect(names.without({ 'user 9': ada })).toEqual({});
    expect(names.without({ bo })).toEqual({ bo });
    expect(names.without({ 'user 9': ada })).toEqual({ 'user 9': ada });
  });
});
