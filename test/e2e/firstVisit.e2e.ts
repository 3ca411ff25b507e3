/** The first visit on a network where only some chunks of the app load. */
import type { Browser, BrowserContext } from '@playwright/test';
import {
  canStartOffline,
  composer,
  expect,
  expectInOrder,
  expectState,
  message,
  rightClick,
  say,
  signUp,
  test,
} from './fixtures.ts';

/** The lazy chunks of the client and of the views. */
const LAZY = /\/assets\/(later|lazyViews)-[^/]*\.js/;

/** What connects and sends. */
const ENGINE = /\/assets\/later-[^/]*\.js/;

test('O2 chunks that failed to load beside the first paint are loaded later, without a reload', async ({
  server,
  browser,
}) => {
  const context = await withoutWorker(browser, server.url);
  let refused = 0;
  await context.route(LAZY, (route) => {
    refused++;
    return route.abort();
  });
  const page = await context.newPage();
  await page.goto('/');
  await page.evaluate(() => Object.assign(globalThis, { sameDocument: true }));
  await page.getByRole('textbox', { name: 'Your name' }).fill('Ada');
  await page.getByRole('button', { name: 'Start chatting' }).click();
  await expect(page.getByText('The server cannot be reached', { exact: false })).toBeVisible();
  expect(refused).toBeGreaterThan(0);

  await context.unroute(LAZY);
  await signUp(page, 'Ada');
  await say(page, 'here after all');
  await expectState(page, 'here after all', 'Sent');
  expect(await page.evaluate(() => 'sameDocument' in globalThis)).toBe(true);
  await context.close();
});

test('O2 the engine failed to load beside the first paint of a signed-in user: it is loaded later, without a reload', async ({
  server,
  browser,
}) => {
  const context = await withoutWorker(browser, server.url);
  const page = await context.newPage();
  await page.goto('/');
  await signUp(page, 'Ada');
  let refused = 0;
  await context.route(ENGINE, (route) => {
    refused++;
    return route.abort();
  });
  await page.reload();
  await say(page, 'here after all');
  await expectState(page, 'here after all', 'Queued');
  await expect.poll(() => refused).toBeGreaterThan(0);

  await context.unroute(ENGINE);
  await expectState(page, 'here after all', 'Sent');
  await context.close();
});

test('O1 a service worker that failed to install on the first visit is installed when the page is looked at again', async ({
  network,
  browser,
}) => {
  const context = await withoutWorker(browser, network.url);
  const page = await context.newPage();
  const told = page.waitForEvent('console', (message) => message.text().includes('cannot start without'));
  await page.goto('/');
  await signUp(page, 'Ada');
  await say(page, 'kept');
  await expectState(page, 'kept', 'Sent');
  await told;

  await context.unroute('**/sw.js');
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await canStartOffline(page);
  network.refuse();
  await page.reload();
  await expectState(page, 'kept', 'Sent');
  await context.close();
});

test('O2 O4 without a service worker, as over plain HTTP, a queued text can be edited and deleted while offline', async ({
  network,
  browser,
}) => {
  const context = await withoutWorker(browser, network.url);
  const page = await context.newPage();
  await page.goto('/');
  await signUp(page, 'Ada');
  await say(page, 'with a network');
  await expectState(page, 'with a network', 'Sent');
  await page.reload(); // nothing of what follows was used since
  await expectState(page, 'with a network', 'Sent');
  await page.waitForLoadState('networkidle');
  network.refuse();
  for (const body of ['we meet at nien', 'regretted']) await say(page, body);
  await rightClick(page, 'regretted');
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await expect(message(page, 'regretted')).toHaveCount(0);
  await composer(page).press('ArrowUp');
  await expect(composer(page)).toHaveValue('we meet at nien');
  await composer(page).fill('we meet at nine');
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await expectInOrder(page, ['with a network', 'we meet at nine']);
  network.pass();
  await expectState(page, 'we meet at nine', 'Sent');
  await context.close();
});

/** A context whose service worker fails to install, since it would have all chunks in its cache. */
async function withoutWorker(browser: Browser, url: string): Promise<BrowserContext> {
  const context = await browser.newContext({ baseURL: url });
  await context.route('**/sw.js', (route) => route.abort());
  return context;
}
