import { expect, test } from 'vitest';
import { createBackground } from '../../../web/state/background.ts';
import type { Status } from '../../../web/transport/phase.ts';

function start(refused = false) {
  const seen = { waiting: 0, status: 'live' as Status, asked: 0 };
  const background = createBackground({
    async register() {
      seen.asked++;
      if (refused) throw new Error('denied');
    },
    waiting: () => seen.waiting,
    status: () => seen.status,
  });
  return { seen, background };
}

test('O2 the worker is asked for while rows wait without a way, once, and never when nothing waits', () => {
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

test('O2 a page that is put away asks again: the worker may have been woken since, and have left it to this page', () => {
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

test('a browser that refuses is asked again', async () => {
  const { seen, background } = start(true);
  seen.waiting = 1;
  seen.status = 'offline';
  background.changed();
  await Promise.resolve();
  background.changed();
  expect(seen.asked).toBe(2);
});
