/** What a request costs the account of its user, and which refusals are counted. */
import { expect, test } from 'vitest';
import { createLogger } from '../../../server/base/logger.ts';
import { createMetrics } from '../../../server/base/metrics.ts';
import { codesOf, createPerform, type Handlers } from '../../../server/request/perform.ts';
import { STORED_ROOMS } from '../../../shared/limits.ts';
import type { Answer } from '../../../shared/protocol/index.ts';
import { newId } from '../../support/api.ts';

test('what is stored of many rooms costs a call of the store and more for each room', async () => {
  const charged: number[] = [];
  const perform = createPerform({
    handlers: { stored: async () => ({}) } as Partial<Handlers> as Handlers,
    epoch: 'epoch',
    work: {
      admit() {},
      charge: (_, account, units) => account === 'reads' && charged.push(units),
    },
    metrics: createMetrics(),
    logger: createLogger('silent'),
  });
  const user = { id: newId(), name: 'Ada', rev: 0 };
  const stored = async (count: number) => {
    const rooms = Object.fromEntries(Array.from({ length: count }, () => [newId(), [1, 2]]));
    const payer = { user: user.id, address: 'address' };
    expect(
      await perform('stored', user, { rooms }, { transport: 'websocket', payer, id: 'socket/1' }),
    ).toMatchObject({
      ok: true,
    });
  };
  await stored(1);
  await stored(STORED_ROOMS);
  expect(charged[1]! - charged[0]!).toBeGreaterThan(STORED_ROOMS);
});

test('an append that was stopped, or of which items were refused, counts each code once; one item put off alone is no fault of the server', async () => {
  const metrics = createMetrics();
  const failed = (code: string) => ({ clientOffset: newId(), error: { code, message: 'because' } });
  let answer: Pick<Answer<'append'>, 'results' | 'stopped'>;
  const perform = createPerform({
    handlers: { append: async () => answer } as Partial<Handlers> as Handlers,
    epoch: 'epoch',
    work: { admit() {}, charge() {} },
    metrics,
    logger: createLogger('silent'),
  });
  const counted = async (now: typeof answer) => {
    answer = now;
    metrics.refusals.reset();
    const user = { id: newId(), name: 'Ada', rev: 0 };
    const payer = { user: user.id, address: 'address' };
    const source = { transport: 'http', payer, id: 'http/1' } as const;
    const result = await perform('append', user, { as: user.id, items: [{}] }, source);
    const { values } = await metrics.refusals.get();
    const counts = Object.fromEntries(values.map(({ labels, value }) => [labels.code, value]));
    expect(Object.keys(counts).sort()).toEqual(codesOf(result).sort());
    return counts;
  };
  expect(await counted({ results: [] })).toEqual({});
  expect(await counted({ results: [], stopped: { code: 'unavailable', message: 'away' } })).toEqual({
    unavailable: 1,
  });
  expect(
    await counted({
      results: [failed('internal'), failed('internal'), failed('invalid')],
      stopped: { code: 'internal', message: 'a bug' },
    }),
  ).toEqual({ internal: 1, invalid: 1 });
  expect(await counted({ results: [failed('unavailable')] })).toEqual({ 'rate-limited': 1 });
});
