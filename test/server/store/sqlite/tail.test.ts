/** Tails on a fake table, with a writer that offers batches late, twice or not at all. */
import { expect, it } from 'vitest';
import type { Numbered } from '../../../../server/store/sqlite/rows.ts';
import { openTails } from '../../../../server/store/sqlite/tail.ts';
import { newId } from '../../../contract/support.ts';
import { silent } from './harness.ts';

function scene() {
  const table: Numbered[] = [];
  const seen: number[] = [];
  let reached = { count: 0, resolve: () => {} };
  let failures = 0;
  let gaps = 0;
  const tails = openTails({
    epoch: () => 'epoch',
    isRunning: () => true,
    lastSeq: async () => table.length,
    since: async (seq, limit) => {
      if (failures-- > 0) throw new Error('not now');
      return table.slice(seq, seq + limit);
    },
    log: silent,
  });
  return {
    tails,
    seen,
    commit(count: number): Numbered[] {
      const first = table.length + 1;
      for (let seq = first; seq < first + count; seq++) table.push(numbered(seq));
      return table.slice(first - 1);
    },
    listen: (from?: string) =>
      tails.open(from, {
        onBatch(batch) {
          seen.push(...batch.map(({ entry }) => entry.serverOffset));
          if (seen.length >= reached.count) reached.resolve();
        },
        onGap() {
          gaps++;
        },
      }),
    gaps: () => gaps,
    failNext(count: number) {
      failures = count;
    },
    async count(count: number) {
      const { promise, resolve } = Promise.withResolvers<void>();
      reached = { count, resolve };
      if (seen.length < count) await promise;
    },
  };
}

function numbered(seq: number): Numbered {
  const entry = {
    serverOffset: seq,
    author: newId(),
    clientOffset: newId(),
    at: 1,
    kind: 'text',
    body: 'x',
  } as const;
  return { seq, room: 'lobby', entry };
}

async function live() {
  const { tails, ...rest } = scene();
  await rest.listen();
  tails.offer(rest.commit(1));
  await rest.count(1);
  return { tails, ...rest };
}

it('where an offered batch leaves a gap, the commits are read from the table', async () => {
  const { tails, commit, count, seen } = await live();
  commit(2); // their answer was lost with the thread
  tails.offer(commit(1));
  await count(4);
  expect(seen).toEqual([1, 2, 3, 4]);
});

it('a batch that was read already is not delivered again when it is offered', async () => {
  const { tails, commit, count, seen } = await live();
  const late = commit(2);
  tails.catchUp();
  await count(3);
  tails.offer(late);
  tails.offer([...late, ...commit(1)]);
  await count(4);
  expect(seen).toEqual([1, 2, 3, 4]);
});

it('commits that were never offered are read by a catch-up', async () => {
  const { tails, commit, count, seen } = await live();
  commit(3);
  tails.catchUp();
  await count(4);
  expect(seen).toEqual([1, 2, 3, 4]);
});

it('a batch that is offered during a catch-up is delivered in order', async () => {
  const { tails, commit, listen, count, seen } = scene();
  commit(1_200);
  const opened = listen('epoch:100');
  tails.offer(commit(1));
  await opened;
  tails.offer(commit(1));
  tails.offer(commit(1));
  await count(1_103);
  expect(seen).toEqual(Array.from({ length: 1_103 }, (_, i) => 101 + i));
});

it('a failed read is tried again', async () => {
  const { tails, commit, count, seen, failNext } = await live();
  commit(1);
  failNext(1);
  tails.catchUp();
  await count(2);
  expect(seen).toEqual([1, 2]);
});

it('an older resume point is read on from, without a gap', async () => {
  const { commit, listen, count, gaps } = scene();
  commit(3);
  await listen('epoch:1');
  await count(2);
  expect(gaps()).toBe(0);
});

it.each(['other:1', 'epoch:9', 'garbage'])('S2 a point that is refused (%s) is a gap', async (point) => {
  const { tails, commit, listen, count, gaps, seen } = scene();
  commit(3);
  await listen(point);
  expect(gaps()).toBe(1);
  tails.offer(commit(1));
  await count(1);
  expect(seen).toEqual([4]);
});

it('a closed tail delivers nothing more, also during a catch-up', async () => {
  const { commit, listen, seen, tails } = scene();
  commit(10);
  const tail = await listen('epoch:0');
  await tail.close();
  tails.offer(commit(1));
  expect(tail.isOpen()).toBe(false);
  expect(seen).toEqual([]);
});
