import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { createRing, createRingBudget, createRoomFeed } from '../../../server/feed/roomFeed.ts';
import { type LogStore, Unavailable } from '../../../server/store/port.ts';
import type { Entry } from '../../../shared/entry.ts';
import { runsOf } from '../../support/runs.ts';

const entry = (serverOffset: number): Entry => ({
  serverOffset,
  author: 'a',
  clientOffset: String(serverOffset),
  at: 0,
  kind: 'join',
});
const run = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => entry(from + i));

/** A log with `head` entries, whose next `failures` reads fail. */
function logOf(head: number) {
  const state = { head, failures: 0, opensAt: head };
  const answer = <T>(value: T) => {
    if (state.failures === 0) return Promise.resolve(value);
    state.failures--;
    return Promise.reject(new Unavailable('away'));
  };
  const log = {
    heads: (rooms: readonly string[]) => answer(new Map(rooms.map((room) => [room, state.opensAt]))),
    range: (_room: string, from: number, to: number) =>
      answer({ entries: run(from, Math.min(to, state.head)), amendments: [], head: state.head }),
  } as unknown as LogStore;
  return { log, state };
}

function feedOf(log: LogStore) {
  const delivered: number[] = [];
  let onDelivered = () => {};
  const feed = createRoomFeed({
    room: 'r',
    log,
    headOf: async (room) => (await log.heads([room])).get(room) ?? 0,
    deliver(entries) {
      delivered.push(...entries.map((e) => e.serverOffset));
      onDelivered();
    },
    budget: createRingBudget(),
    pause: () => Promise.resolve(),
  });
  const reached = async (offset: number) => {
    while ((delivered.at(-1) ?? 0) < offset) await new Promise<void>((resolve) => (onDelivered = resolve));
    return delivered;
  };
  return { feed, delivered, reached };
}

describe('the feed of a room', () => {
  test('delivers new entries and drops repeats', async () => {
    const { log } = logOf(5);
    const { feed, delivered } = feedOf(log);
    await feed.opening();
    feed.receive(run(4, 7));
    feed.receive(run(6, 8));
    expect(delivered).toEqual([6, 7, 8]);
  });

  test('a head that is not in the log does not cause an endless loop of reads', async () => {
    const { log } = logOf(5);
    const range = vi.spyOn(log, 'range');
    const { feed } = feedOf(log);
    await feed.opening();
    for (let times = 0; times < 40; times++) feed.fillUpTo(100);
    await new Promise((resolve) => setTimeout(resolve, 1)); // never fires if retries run in microtasks
    expect(range.mock.calls.length).toBeGreaterThan(1);
    expect(range.mock.calls.length).toBeLessThan(40);
  });

  test('S2 entries that the tail skipped are read from the log first', async () => {
    const { log, state } = logOf(5);
    const { feed, reached } = feedOf(log);
    await feed.opening();
    state.head = 9;
    feed.receive([entry(9)]);
    expect(await reached(9)).toEqual([6, 7, 8, 9]);
  });

  test('entries delivered while the room opens are neither lost nor repeated', async () => {
    const { log, state } = logOf(5);
    state.failures = 3;
    const { feed, reached } = feedOf(log);
    feed.receive(run(5, 6));
    feed.receive(run(7, 7));
    expect(await reached(7)).toEqual([6, 7]);
  });

  test('reads of an unavailable store are retried until it answers, and the order is kept', async () => {
    const { log, state } = logOf(5);
    const { feed, reached } = feedOf(log);
    await feed.opening();
    state.head = 8;
    state.failures = 4;
    feed.receive([entry(8)]);
    feed.receive([entry(9)]);
    expect(await reached(9)).toEqual([6, 7, 8, 9]);
  });

  test('entries up to a known head are read although the tail delivered nothing', async () => {
    const { log, state } = logOf(5);
    const { feed, reached } = feedOf(log);
    await feed.opening();
    state.head = 450;
    feed.fillUpTo(450);
    expect(await reached(450)).toEqual(Array.from({ length: 445 }, (_, i) => 6 + i));
    expect(feed.recent(300, 450)).toHaveLength(151);
  });

  test('S2 whatever the tail loses, repeats and reorders, the delivered entries have no gap and no repeat', async () => {
    const batches = fc.array(
      fc.record({ from: fc.integer({ min: 1, max: 40 }), size: fc.integer({ min: 1, max: 6 }) }),
    );
    await fc.assert(
      fc.asyncProperty(batches, fc.integer({ min: 0, max: 5 }), async (batches, failures) => {
        const { log, state } = logOf(3);
        const { feed, reached } = feedOf(log);
        state.failures = failures;
        state.head = 50; // all entries are durable; the tail delivers them in any order
        for (const { from, size } of batches) feed.receive(run(from, from + size - 1));
        feed.fillUpTo(50);
        expect(await reached(50)).toEqual(run(4, 50).map((e) => e.serverOffset));
      }),
      { numRuns: runsOf('what a tail loses') },
    );
  });
});

describe('what a room recalls', () => {
  /** A room with 1,000 messages. `answer` ends the oldest read that is under way. */
  async function recalling(log: Partial<LogStore> = {}) {
    const reads: { from: number; to: number; answer: () => void }[] = [];
    const range = (_: string, from: number, to: number) =>
      new Promise((resolve) => {
        const entries = messages(from, to);
        reads.push({ from, to, answer: () => resolve({ entries, amendments: [], head: 1_000 }) });
      });
    const { feed } = feedOf({
      heads: async () => new Map([['r', 1_000]]),
      range,
      ...log,
    } as unknown as LogStore);
    await feed.opening();
    const recall = async (from: number) => {
      const done = feed.recall(from);
      reads.at(-1)?.answer();
      await done;
    };
    return { feed, reads, recall, asked: () => reads.map(({ from, to }) => [from, to]) };
  }
  const messages = (from: number, to: number) =>
    run(from, to).map((one): Entry => ({ ...one, kind: 'text', body: 'a' }));
  const removal = (serverOffset: number, target: number): Entry => ({
    ...entry(serverOffset),
    kind: 'delete',
    target,
  });

  test('is read once for all who come back at the same time, and is in memory then', async () => {
    const { feed, reads, asked } = await recalling();
    const all = Promise.all([990, 995, 988, 1_000].map(feed.recall));
    reads[0]!.answer();
    await all;
    expect(asked()).toEqual([[985, 1_000]]);
    expect(feed.recent(988, 1_000)).toEqual(messages(988, 1_000));
    await feed.recall(985);
    expect(asked()).toHaveLength(1);
  });

  test('of who lacks more, only what comes before is read', async () => {
    const { feed, recall, asked } = await recalling();
    await recall(999);
    feed.receive([...messages(1_001, 1_003)]);
    await recall(960);
    expect(asked()).toEqual([
      [985, 1_000],
      [940, 984],
    ]);
    expect(feed.recent(940, 1_003)).toEqual(messages(940, 1_003));
  });

  test('is not read beyond what memory holds of a room', async () => {
    const { feed, asked } = await recalling();
    await feed.recall(1_001 - 201);
    expect(asked()).toEqual([]);
  });

  test('a message that is deleted while it is read is recalled without its text', async () => {
    const { feed, reads } = await recalling();
    const done = feed.recall(990);
    feed.receive([removal(1_001, 995)]);
    reads[0]!.answer();
    await done;
    expect(feed.recent(995, 995)).toEqual([{ ...entry(995), kind: 'text', deleted: true }]);
    expect(feed.recent(994, 994)).toEqual(messages(994, 994));
    expect(feed.recent(1_001, 1_001)).toEqual([removal(1_001, 995)]);
  });

  test('what is too large for memory is not read again for each who asks', async () => {
    let reads = 0;
    const { feed } = await recalling({
      range: async (_, from) => {
        reads++;
        return { entries: messages(from, from), amendments: [], head: 1_000 }; // cut at the bytes of memory
      },
    });
    for (const _ of run(1, 50)) await feed.recall(801);
    expect(reads).toBe(1);
    expect(feed.recent(1_000, 1_000)).toBeUndefined();
  });

  test('all who wait for a read that fails get its error, and the next one reads again', async () => {
    let isAway = true;
    const { feed } = await recalling({
      range: async (_, from, to) => {
        if (isAway) throw new Unavailable('away');
        return { entries: messages(from, to), amendments: [], head: 1_000 };
      },
    });
    const outcomes = await Promise.allSettled([990, 990].map(feed.recall));
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    isAway = false;
    await feed.recall(990);
    expect(feed.recent(990, 1_000)).toEqual(messages(990, 1_000));
  });
});

describe('the ring of newest entries', () => {
  const text = (serverOffset: number, body = `text ${serverOffset}`): Entry => ({
    serverOffset,
    author: 'a',
    clientOffset: String(serverOffset),
    at: serverOffset,
    kind: 'text',
    body,
  });
  const amend = (serverOffset: number, kind: 'edit' | 'delete', target: number): Entry => ({
    ...(text(serverOffset) as object as Entry),
    kind,
    target,
    ...(kind === 'edit' ? { body: 'edited' } : {}),
  });

  test('holds the newest entries, and says if it does not reach back far enough', () => {
    const ring = createRing(createRingBudget(), { size: 10 });
    for (let n = 1; n <= 95; n++) ring.push(text(n));
    expect(ring.slice(90, 95)?.map((e) => e.serverOffset)).toEqual([90, 91, 92, 93, 94, 95]);
    expect(ring.slice(86, 95)).toHaveLength(10);
    expect(ring.slice(60, 95)).toBeUndefined();
    expect(ring.slice(90, 96)).toBeUndefined();
    expect(ring.slice(96, 95)).toEqual([]);
  });

  test('a deletion redacts its target and the edits of it, and nothing else', () => {
    const ring = createRing(createRingBudget(), { size: 10 });
    const entries = [text(1), text(2), amend(3, 'edit', 1), amend(4, 'edit', 2), amend(5, 'delete', 1)];
    for (const entry of entries) ring.push(entry);
    const kept = ring.slice(1, 5)!;
    expect(kept.map((e) => ('body' in e ? e.body : undefined))).toEqual([
      undefined,
      'text 2',
      undefined,
      'edited',
      'text 5',
    ]);
    expect(kept.map((e) => 'deleted' in e && e.deleted)).toEqual([true, false, true, false, false]);
  });

  const long = (serverOffset: number, length = 4_000) =>
    ({ ...text(serverOffset), body: 'x'.repeat(length) }) as Entry;

  test('of long entries it holds fewer', () => {
    const ring = createRing(createRingBudget(), { size: 100, maxBytes: 100_000 });
    for (let n = 1; n <= 60; n++) ring.push(long(n));
    expect(ring.slice(55, 60)).toHaveLength(6);
    expect(ring.slice(40, 60)).toBeUndefined();
    ring.push(long(61, 200_000));
    expect(ring.slice(61, 61)).toBeUndefined();
    ring.push(long(62));
    expect(ring.slice(62, 62)).toHaveLength(1);
  });

  test('the rooms used least recently lose theirs where the memory of all does not suffice', () => {
    const budget = createRingBudget(1_000_000);
    const rings = Array.from({ length: 50 }, () => createRing(budget, { size: 100, maxBytes: 90_000 }));
    const held = () => rings.flatMap((ring, i) => (ring.slice(10, 10) ? [i] : []));
    for (const ring of rings) for (let n = 1; n <= 10; n++) ring.push(long(n));
    expect(budget.bytes()).toBeLessThanOrEqual(1_000_000);
    expect(held().at(-1)).toBe(49);
    expect(held().length).toBeGreaterThan(8);
    const [oldest] = held();
    rings[oldest!]!.slice(10, 10); // used again
    for (const other of held()) if (other !== oldest) rings[other]!.push(long(11));
    rings[oldest!]!.slice(10, 10);
    for (const ring of rings.slice(0, 5)) for (let n = 1; n <= 10; n++) ring.push(long(n + 20));
    expect(rings[oldest!]!.slice(10, 10)).toHaveLength(1);
    for (const ring of rings) ring.clear();
    expect(budget.bytes()).toBe(0);
  });

  test('a redacted entry takes its memory back', () => {
    const budget = createRingBudget();
    const ring = createRing(budget);
    ring.push(long(1));
    ring.push(amend(2, 'delete', 1));
    expect(budget.bytes()).toBeLessThan(2_000);
  });
});
