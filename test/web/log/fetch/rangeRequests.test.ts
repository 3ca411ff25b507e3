import { expect, test } from 'vitest';
import type { Entry } from '../../../../shared/entry.ts';
import { RANGE_MAX_ENTRIES } from '../../../../shared/limits.ts';
import { createRangeRequests } from '../../../../web/log/fetch/rangeRequests.ts';
import type { SyncSession } from '../../../../web/log/fetch/syncSession.ts';
import { RANGE_FIRST_ENTRIES } from '../../../../web/records/pageLimits.ts';
import { createFakeClock } from '../../db/fakeClock.ts';
import { turns } from '../../db/until.ts';
import { grow, text } from '../syncBench.ts';

const era: SyncSession = { version: { epoch: 'one', generation: 0 } };

/** A server that answers after a delay, with at most so many entries of a log of 1,000. */
function asking(tookMs: number, holds: number) {
  const clock = createFakeClock();
  const log: Entry[] = [];
  grow(log, 1_000);
  const connection = {
    async ask(_: string, { from, to }: { from: number; to: number }) {
      clock.pass(tookMs);
      const entries = log.slice(from - 1, to).slice(0, holds);
      return { ok: true, epoch: era.version.epoch, entries, amendments: [], users: {}, head: log.length };
    },
    tell() {},
  };
  return createRangeRequests({
    connection: () => connection as never,
    sessions: { isCurrent: () => true, reconnect() {} },
    clock,
    random: () => 0.5,
  });
}

test.each([
  ['slow, and not all of it', 6_000, 20, 20],
  ['slow, and very little of it', 6_000, 3, 10],
  ['slow, and all of it', 6_000, 200, RANGE_FIRST_ENTRIES],
  ['soon, and not all of it', 100, 70, RANGE_MAX_ENTRIES],
])(
  'S2 S3 after an answer that was %s, so much is asked for as comes in one',
  async (_, tookMs, holds, next) => {
    const { request: range, pieceEntries: count } = asking(tookMs, holds);
    expect(count()).toBe(RANGE_FIRST_ENTRIES);
    await range(era, 'r', { from: 501, to: 600 });
    expect(count()).toBe(next);
  },
);

test('S2 rooms whose ranges are not answered never occupy all lanes', async () => {
  const asked: string[] = [];
  const never = new Promise<undefined>(() => {});
  let isDead = true;
  const { request: range } = createRangeRequests({
    connection: () =>
      ({
        async ask(_: string, { room, from }: { room: string; from: number }) {
          asked.push(room);
          if (room.startsWith('dead')) return isDead ? undefined : never;
          return { ok: true, epoch: 'one', entries: [text(from)], amendments: [], users: {}, head: 9 };
        },
        tell() {},
      }) as never,
    sessions: { isCurrent: () => true, reconnect() {} },
    clock: createFakeClock(),
    random: () => 0.5,
  });
  const dead = Array.from({ length: 6 }, (_, i) => `dead ${i}`);
  const ask = (room: string) => range(era, room, { from: 1, to: 1 });
  await Promise.all(dead.map(ask)); // each request times out
  isDead = false;
  dead.map(ask);
  await turns();
  expect(asked.slice(dead.length)).toEqual(['dead 0']); // the others share one lane
  expect(await ask('alive')).toMatchObject({ tag: 'answered' });
});

test('S2 an answer that ends at the head is not counted as cut short', async () => {
  const { request: range, pieceEntries: count } = asking(6_000, 200);
  await range(era, 'r', { from: 951, to: 1_050 });
  expect(count()).toBe(RANGE_FIRST_ENTRIES);
});
