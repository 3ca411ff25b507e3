/** A new build of the page is deployed while messages wait. */
import { bodyOf, signUp as signUpByApi, wholeLog } from '../support/api.ts';
import { copyBuild, publishNewBuild, renameScript, withoutChunk } from '../support/pageBuild.ts';
import { startServer } from '../support/serverProcess.ts';
import { canStartOffline, expect, expectInOrder, expectState, say, signUp, test } from './fixtures.ts';
import { barSocket } from './support/barSocket.ts';
import { buildOf, untilOffered } from './support/offeredBuild.ts';

const WAITING = ['waits 1', 'waits 2', 'waits 3'];

test('O4 a new build is installed by a tap while messages wait: none is lost', async ({ storage, phone }) => {
  await copyBuild(storage.path);
  await using server = await startServer({ env: { PAGE: storage.path } });
  const page = await phone(server.url);
  await canStartOffline(page);
  const socket = await barSocket(page.context());
  await page.addInitScript(() => Reflect.deleteProperty(globalThis, 'SyncManager')); // or the service worker would send by HTTP
  await page.reload();
  await signUp(page, 'Ada');
  for (const body of WAITING) await say(page, body);
  await expectState(page, WAITING[0]!, 'Queued');

  await publishNewBuild(storage.path, 'second');
  await untilOffered(page);
  expect(await buildOf(page)).toBeUndefined(); // not installed before the tap
  await page.getByRole('button', { name: 'Update' }).click();

  await expect.poll(() => buildOf(page).catch(() => undefined)).toBe('second');
  await expectInOrder(page, WAITING);
  await expectState(page, WAITING[0]!, 'Queued');
  await socket.open();
  for (const body of WAITING) await expectState(page, body, 'Sent');
  const log = await wholeLog(server.url, await signUpByApi(server.url, 'Reader'));
  expect(log.flatMap((entry) => bodyOf(entry) ?? [])).toEqual(WAITING);
});

test('a page without a service worker lacks a chunk that a new build has replaced: it says that there is a new version, and loads it by a tap', async ({
  storage,
  browser,
}) => {
  await copyBuild(storage.path);
  await withoutChunk(storage.path, 'lazyViews');
  await using server = await startServer({ env: { PAGE: storage.path } });
  const context = await browser.newContext({ baseURL: server.url, serviceWorkers: 'block' });
  const page = await context.newPage();
  await page.goto('/');
  await signUp(page, 'Ada');
  await expect(page.getByText('A new version is ready')).toHaveCount(0);
  await renameScript(storage.path);
  await page.getByRole('button', { name: 'Update' }).click();
  await expect
    .poll(() => page.evaluate(() => document.querySelector('script[src*=renamed]') !== null))
    .toBe(true);
  await expect(page.getByText('A new version is ready')).toHaveCount(0); // it still lacks the chunk, and is the newest
  await context.close();
});
