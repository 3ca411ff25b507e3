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
