import { expect, test } from 'vitest';
import { createBackgroundSync } from '../../../web/outbox/backgroundSync.ts';
import type { ConnectionStatus } from '../../../web/transport/transportState.ts';

function start(refused = false) {
  const seen = { waiting: 0, status: 'live' as ConnectionStatus, asked: 0 };
  const background = createBackgroundSync({
    async register() {
      seen.asked++;
      if (refused) throw new Error('denied');
    },
    waiting: () => seen.waiting,
    status: () => seen.status,
  });
  return { seen, background };
}

test('O2 a sync is registered once while rows wait without a connection, and never when no rows wait', () => {
  const { seen, background } = start();
  background.hidden();
  seen.status = 'offline';
  background.changed();
  expect(seen.asked).toBe(0);
  seen.waiting = 1;
  background.changed();
  background.changed();
  expect(seen.asked).toBe(1);
  seen.waiting = 0;
  background.changed();
  seen.waiting = 1;
  background.changed();
  expect(seen.asked).toBe(2);
});

test('O2 a page that is hidden registers again: the worker may have been woken since, and have left the rows to this page', () => {
  const { seen, background } = start();
  seen.waiting = 1;
  background.changed();
  expect(seen.asked).toBe(0); // live: the page sends it
  background.hidden();
  background.hidden();
  expect(seen.asked).toBe(2);
  background.changed();
  seen.status = 'offline';
  background.changed();
  expect(seen.asked).toBe(3);
});

test('a registration that the browser refuses is repeated', async () => {
  const { seen, background } = start(true);
  seen.waiting = 1;
  seen.status = 'offline';
  background.changed();
  await Promise.resolve();
  background.changed();
  expect(seen.asked).toBe(2);
});
