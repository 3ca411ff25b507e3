/** Background Sync: the service worker sends the outbox while no page is open; with a page open, only one of them sends. */
import type { Page } from '@playwright/test';
import { drainLockOf } from '../../web/outbox/drainLock.ts';
import { bodyOf, connectClient, type SignedUp, signUp as signUpByApi, wholeLog } from '../support/api.ts';
import { WHOLE_CHROMIUM } from '../support/chromium.ts';
import { tagsOf, withoutSyncManager, workerOf } from '../support/worker.ts';
import { bodies, canStartOffline, expect, expectState, say, signUp, test } from './fixtures.ts';
import { numbered } from './support/crowd.ts';

// The headless shell has no Background Sync.
test.use(WHOLE_CHROMIUM);

const WAITING = ['waits 1', 'waits 2', 'waits 3'];

test('O2 the page is closed with a queue and the worker is woken: everything is sent once, and the next page shows it as sent', async ({
  server,
  network,
  phone,
}) => {
  const watcher = await signUpByApi(server.url, 'Watcher');
  const { page, worker } = await signedUp(phone, network.url);
  network.refuse();
  for (const body of WAITING) await say(page, body);
  await expectState(page, WAITING[2]!, 'Queued');
  await page.close();

  network.pass();
  await worker.sync();
  await expect.poll(() => textsIn(server.url, watcher)).toEqual(WAITING);
  const again = await page.context().newPage();
  await again.goto(network.url);
  await again.getByRole('link', { name: /lobby/i }).click();
  for (const body of WAITING) await expectState(again, body, 'Sent');
  await say(again, 'and on'); // after anything that could be sent again
  await expectState(again, 'and on', 'Sent');
  expect(await bodies(again)).toEqual([...WAITING, 'and on']);
  expect(await textsIn(server.url, watcher)).toEqual([...WAITING, 'and on']);
});

test('O2 a Background Sync is registered only while rows wait without a connection, and wakes the worker', async ({
  server,
  network,
  phone,
}) => {
  const watcher = await signUpByApi(server.url, 'Watcher');
  const page = await openApp(phone, network.url, countRegistrations);
  await signUp(page, 'Ada');
  await say(page, 'live');
  await expectState(page, 'live', 'Sent');
  const asked = () => page.evaluate(() => Reflect.get(globalThis, 'registrations'));
  const before = await asked(); // it may have been registered before there was a connection
  await say(page, 'sent');
  await expectState(page, 'sent', 'Sent');
  expect(await asked()).toBe(before);

  network.refuse();
  await expect(page.getByRole('main').getByText('Offline. What you write is sent later.')).toBeVisible();
  expect(await asked()).toBe(before);
  for (const body of WAITING) await say(page, body);
  await expect.poll(() => tagsOf(page)).toEqual(['holdfast-outbox']);
  await page.close();
  network.pass(); // no user action: Chromium sees a network, and the worker retries until the server answers
  await expect
    .poll(() => textsIn(server.url, watcher), { timeout: 20_000 })
    .toEqual(['live', 'sent', ...WAITING]);

  const again = await page.context().newPage();
  await again.goto(network.url);
  await again.getByRole('link', { name: /lobby/i }).click();
  await expectState(again, WAITING[2]!, 'Sent');
  await expect.poll(() => tagsOf(again)).toEqual([]);
  expect(await textsIn(server.url, watcher)).toEqual(['live', 'sent', ...WAITING]);
});

test('O2 S5 the worker is woken while a tab sends: the tab continues, without duplicates or reordering', async ({
  server,
  network,
  phone,
}) => {
  using watcher = await connectClient(server.url, await signUpByApi(server.url, 'Watcher'));
  const page = await openApp(phone, network.url, withoutSyncManager);
  const worker = await workerOf(page.context(), network.url);
  await worker.sync(); // it takes a while to start, and has nothing to do yet
  await page.bringToFront();
  await signUp(page, 'Ada');
  await say(page, 'first');
  await expectState(page, 'first', 'Sent');
  network.narrow(3_000); // twenty seconds in all, since the worker may start late
  const long = numbered('seal '.repeat(480), 25);
  for (const body of long) await say(page, body);
  const before = worker.asked().length;
  await worker.wake();
  await expectState(page, long.at(-1)!, 'Queued'); // the tab is still sending
  network.narrow(Number.POSITIVE_INFINITY);
  await watcher.hears(long.at(-1)!);
  await expectState(page, long.at(-1)!, 'Sent');
  expect(worker.asked().slice(before)).not.toContain('POST /api/append');
  expect(await textsIn(server.url, watcher.session)).toEqual(['first', ...long]);
});

test('O2 S5 a tab that is about to send is closed: the worker, woken meanwhile, sends at once, not when the browser wakes it the next time', async ({
  server,
  network,
  phone,
}) => {
  const watcher = await signUpByApi(server.url, 'Watcher');
  const { page, worker } = await signedUp(phone, network.url);
  await page.bringToFront();
  await say(page, 'live');
  await expectState(page, 'live', 'Sent');
  const ada = (await wholeLog(server.url, watcher)).at(-1)!.author;
  await page.evaluate((lock) => {
    void navigator.locks.request(lock, () => new Promise(() => {})); // as a tab that sends, until it is closed
  }, drainLockOf(ada));
  for (const body of WAITING) await say(page, body);
  await worker.wake();
  await page.waitForTimeout(1_000); // the worker finds the lock taken
  expect(await textsIn(server.url, watcher)).toEqual(['live']);
  await page.close();
  await expect.poll(() => textsIn(server.url, watcher)).toEqual(['live', ...WAITING]);
});

/** Ada's page, and the worker, which only the test wakes. */
async function signedUp(phone: (url: string) => Promise<Page>, url: string) {
  const page = await openApp(phone, url, withoutSyncManager);
  await signUp(page, 'Ada');
  return { page, worker: await workerOf(page.context(), url) };
}

/** Opens the app with an active worker, after `prepare` has changed the page. */
async function openApp(
  phone: (url: string) => Promise<Page>,
  url: string,
  prepare: (page: Page) => Promise<void>,
): Promise<Page> {
  const page = await phone(url);
  await canStartOffline(page);
  await prepare(page);
  await page.reload();
  return page;
}

async function countRegistrations(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const { prototype } = Reflect.get(globalThis, 'SyncManager');
    const register = prototype.register;
    Reflect.set(globalThis, 'registrations', 0);
    prototype.register = function (tag: string) {
      Reflect.set(globalThis, 'registrations', Reflect.get(globalThis, 'registrations') + 1);
      return register.call(this, tag);
    };
  });
}

async function textsIn(url: string, reader: SignedUp): Promise<string[]> {
  return (await wholeLog(url, reader)).flatMap((entry) => bodyOf(entry) ?? []);
}
