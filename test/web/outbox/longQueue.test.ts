/** A long queue: against a server's rate limit, over a slow upload, and with one item that the server refuses. */
import { expect, test } from 'vitest';
import { type Rate, takeTokens } from '../../../server/limits/bucket.ts';
import { ITEMS_BURST, ITEMS_PER_SECOND } from '../../../shared/limits.ts';
import type { Acknowledgement, Item } from '../../../shared/protocol/index.ts';
import { type NewItem, newRow, type Row } from '../../../web/records/row.ts';
import { until } from '../db/until.ts';
import { mint } from '../state/modelServer.ts';
import { accepted, start } from './startDrain.ts';
import { ROOM } from './support.ts';

const RATE: Rate = { perSecond: ITEMS_PER_SECOND, burst: ITEMS_BURST };
type Started = ReturnType<typeof start>;

async function queueMany({ db }: Started, bodies: readonly string[]): Promise<void> {
  await db.write(['rows'], async (tx) => {
    for (const body of bodies) await tx.objectStore('rows').add(rowOf(body));
  });
}

/** Answers each append after `tripMs`, and advances the clock whenever nothing else is running. Returns the number of appends. */
async function untilEmpty(
  { appends, clock, drain, writing }: Started,
  answer: (items: Item[]) => Acknowledgement<'append'> | undefined,
  tripMs: (items: Item[]) => number,
  atMost: number,
): Promise<number> {
  let n = 0;
  let idle = 0;
  await until('sent', async () => {
    if (appends.length > n) {
      const { items, answered } = appends[n++]!;
      idle = 0;
      expect(n).toBeLessThanOrEqual(atMost);
      clock.pass(tripMs(items));
      const is = answer(items);
      if (is) answered(is);
    } else if (writing() > 0) idle = 0;
    else if (++idle > 2) clock.pass(100);
    return !drain.busy();
  });
  return n;
}

test('O2 two thousand queued go out at the rate that the server allows: in order, none parked, no append for each', async () => {
  const started = start();
  const bodies = Array.from({ length: 2_000 }, (_, i) => `message ${i}`);
  await queueMany(started, bodies);
  const log: string[] = [];
  let bucket = { level: RATE.burst, at: started.clock.ticks() };
  const began = started.clock.ticks();
  started.drain.up();
  const appends = await untilEmpty(
    started,
    (items) => {
      const results = [];
      for (const item of items) {
        const taken = takeTokens(bucket, 1, started.clock.ticks(), RATE);
        if (!taken.ok) {
          const stopped = { code: 'rate-limited', message: '', retryAfter: taken.retryAfter };
          return { ok: true, epoch: 'e', results, stopped };
        }
        bucket = taken.state;
        log.push((item as { body: string }).body);
        results.push({ clientOffset: item.clientOffset, serverOffset: log.length, at: 1 });
      }
      return { ok: true, epoch: 'e', results };
    },
    () => 50,
    80,
  );
  expect(log).toEqual(bodies);
  expect(await started.rows()).toEqual([]);
  expect(appends).toBeLessThan(60);
  expect((started.clock.ticks() - began) / 1_000).toBeLessThan(45); // at best 30 s
  started.drain.close();
  started.db.close();
});

test('O2 S4 at an upload of 1 kB/s with connections of 30 s the batch is halved until it succeeds, and everything is sent once', async () => {
  const started = start();
  const bodies = Array.from({ length: 20 }, (_, i) => `${i} ${'x'.repeat(2_000)}`);
  await queueMany(started, bodies);
  const log: string[] = [];
  started.drain.up();
  await untilEmpty(
    started,
    (items) => {
      const itsMs = JSON.stringify(items).length;
      if (itsMs > 10_000) return undefined; // the answer would be too late: none
      for (const item of items) if (!log.includes(item.clientOffset)) log.push(item.clientOffset);
      return accepted(items);
    },
    (items) => Math.min(JSON.stringify(items).length, 60_000),
    40,
  );
  expect(log).toHaveLength(20);
  expect(await started.rows()).toEqual([]);
  started.drain.close();
  started.db.close();
});

test('L5 one item for which whole requests are refused is parked, and all others go in order', async () => {
  const started = start();
  const bodies = Array.from({ length: 350 }, (_, i) => (i === 220 ? 'poison' : `message ${i}`));
  await queueMany(started, bodies);
  const log: string[] = [];
  started.drain.up();
  await untilEmpty(
    started,
    (items) => {
      const its = items.map((item) => (item as { body: string }).body);
      if (its.includes('poison')) return { ok: false, error: { code: 'too-large', message: '' } };
      log.push(...its);
      return accepted(items);
    },
    () => 20,
    150,
  );
  expect(log).toEqual(bodies.filter((body) => body !== 'poison'));
  expect(await started.rows()).toMatchObject([{ body: 'poison', state: { tag: 'parked' } }]);
  started.drain.close();
  started.db.close();
});

function rowOf(body: string) {
  const item: NewItem = { kind: 'text', body, room: ROOM, clientOffset: mint(), at: 1 };
  return newRow(item) as Row; // the store adds `seq`
}
