/** What a request costs the account of its user. */
import { expect, test } from 'vitest';
import { createLogger } from '../../../server/base/logger.ts';
import { createMetrics } from '../../../server/base/metrics.ts';
import { createPerform, type Handlers } from '../../../server/request/perform.ts';
import { STORED_ROOMS } from '../../../shared/limits.ts';
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
