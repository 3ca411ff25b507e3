import { expect, test } from 'vitest';
import { createFeed } from '../../../server/feed/feed.ts';
import { type LogStore, Unavailable } from '../../../server/store/port.ts';

let asked = 0;
const log = {
  heads: () => {
    asked++;
    return Promise.reject(new Unavailable('closed'));
  },
  range: () => Promise.reject(new Unavailable('closed')),
  tail: async () => ({ isOpen: () => true, close: async () => {} }),
} as unknown as LogStore;

const newFeed = () =>
  createFeed({
    log,
    deliver: async () => {},
    onMembership: () => {},
    onGap: () => {},
    onLag: () => {},
    now: Date.now,
  });

test('a room that is asked for after the end is none: nothing spins, nobody waits for ever', async () => {
  const feed = newFeed();
  await feed.start();
  await feed.close();
  await feed.host('r').opening();
});

test('a room that cannot be opened lets everything else go on', async () => {
  asked = 0;
  const feed = newFeed();
  await feed.start();
  feed.host('r');
  await new Promise((resolve) => setTimeout(resolve, 1)); // would never ring while microtasks spin
  await feed.close();
  expect(asked).toBe(1);
});
