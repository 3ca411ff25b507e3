/** A queue that exceeds the rate limit of the server. */
import { ITEMS_BURST, ITEMS_PER_SECOND } from '../../shared/limits.ts';
import { connectClient, signUp as signUpByApi } from '../support/api.ts';
import { recordsOf } from '../support/indexedDb.ts';
import { queueMany } from '../support/longQueue.ts';
import { expect, expectState, message, say, signUp, test } from './fixtures.ts';

const BEHIND = Array.from({ length: 999 }, (_, n) => `queued ${n + 2}`);

test('O2 L5 a thousand queued messages are sent in order at the rate that the server allows, without a failed row', async ({
  server,
  network,
  phone,
}) => {
  test.setTimeout(120_000);
  using watcher = await connectClient(server.url, await signUpByApi(server.url, 'Watcher'));
  const page = await phone(network.url);
  await page.addInitScript(() => Reflect.deleteProperty(globalThis, 'SyncManager')); // or the service worker would send, too
  await page.reload();
  await signUp(page, 'Ada');
  network.refuse();
  await say(page, 'queued 1');
  await expectState(page, 'queued 1', 'Queued');
  await queueMany(page, BEHIND);

  network.pass(); // no user action
  const began = performance.now();
  const last = BEHIND.at(-1)!;
  await expect.poll(() => watcher.heard('lobby').length, { timeout: 90_000 }).toBe(3 + BEHIND.length);
  const seconds = (performance.now() - began) / 1_000;
  const atBest = (BEHIND.length + 1 - ITEMS_BURST) / ITEMS_PER_SECOND;
  test
    .info()
    .annotations.push({ type: 'seconds', description: `${seconds.toFixed(1)} of at least ${atBest}` });
  expect(seconds).toBeGreaterThan(atBest - 1); // limited by the server
  await expectState(page, last, 'Sent');
  await expect(message(page, last)).toBeInViewport();
  const texts = watcher.heard('lobby').flatMap((entry) => ('body' in entry ? [entry.body] : []));
  expect(texts).toEqual(['queued 1', ...BEHIND]);
  expect(await recordsOf(page, { store: 'rows' })).toEqual([]);
});
