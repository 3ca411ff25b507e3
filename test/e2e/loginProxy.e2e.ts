/** A proxy in front of the server answers instead of it: with its login page, since its own session has ended, or with an error. */
import type { BrowserContext, Page } from '@playwright/test';
import { bodyOf, signUp as signUpByApi, wholeLog } from '../support/api.ts';
import { startBasicProxy, startLoginProxy } from '../support/loginProxy.ts';
import { canStartOffline, expect, expectState, say, signUp, test } from './fixtures.ts';

test('O2 O3 a login proxy has ended its session: the app says so, also from a cold start, and sends what waits after the login', async ({
  server,
  phone,
}) => {
  await using proxy = await startLoginProxy(server.port);
  const page = await phone(proxy.url);
  const context = page.context();
  await canStartOffline(page);

  proxy.endSessions();
  await page.getByRole('textbox', { name: 'Your name' }).fill('Ada');
  await page.getByRole('button', { name: 'Start chatting' }).click();
  await expect(page.getByRole('link', { name: 'Open it' })).toBeVisible();
  await context.addCookies([proxy.logIn()]);
  await signUp(page, 'Ada');
  await say(page, 'before');
  await expectState(page, 'before', 'Sent');

  proxy.endSessions();
  await say(page, 'by the running page');
  await expect(page.getByRole('link', { name: 'Open it' })).toBeVisible();
  await expectState(page, 'by the running page', 'Queued');
  await context.addCookies([proxy.logIn()]); // in another tab
  await expectState(page, 'by the running page', 'Sent');

  proxy.endSessions();
  await page.close();
  const again = await context.newPage();
  await again.goto('/#/room/lobby');
  await say(again, 'after a cold start');
  await again.getByRole('link', { name: 'Open it' }).click();
  await again.getByRole('button', { name: 'Log in' }).click();
  await expectState(again, 'after a cold start', 'Sent');
  await expect.poll(() => new URL(again.url()).search).toBe(''); // the next start is from the service worker
  const log = await wholeLog(server.url, await signUpByApi(server.url, 'Reader'));
  expect(log.flatMap((entry) => bodyOf(entry) ?? [])).toEqual([
    'before',
    'by the running page',
    'after a cold start',
  ]);
});

test('O1 O2 O3 a proxy answers 502 and 504 instead of the server: what is written waits, also from a cold start, and arrives once', async ({
  server,
  phone,
}) => {
  await using proxy = await startLoginProxy(server.port);
  const { page, context } = await signedUp(await phone(proxy.url));

  proxy.answerWith(502);
  await say(page, 'during 502');
  await expectState(page, 'during 502', 'Queued');
  proxy.answerWith(504);
  await page.close();
  const again = await context.newPage();
  await again.goto('/#/room/lobby');
  await say(again, 'during 504');
  await expectState(again, 'during 502', 'Queued');
  await expectState(again, 'during 504', 'Queued');
  proxy.answerWith(undefined);
  await expectState(again, 'during 504', 'Sent');
  const log = await wholeLog(server.url, await signUpByApi(server.url, 'Reader'));
  expect(log.flatMap((entry) => bodyOf(entry) ?? [])).toEqual(['before', 'during 502', 'during 504']);
});

test('O2 O3 a proxy asks for basic authentication before everything, the manifest too: the app says that something else answers, and works once somebody has given the credentials', async ({
  server,
  phone,
  browser,
}) => {
  await using proxy = await startBasicProxy(server.port);
  const { page, context } = await signedUp(await phone(proxy.url));

  const credentials = { username: 'ward', password: 'tide' };
  await context.setHTTPCredentials({ ...credentials, password: 'wrong' }); // else the browser's dialog would stay open
  proxy.askFor(credentials);
  await say(page, 'by the running page');
  await expect(page.getByRole('link', { name: 'Open it' })).toBeVisible();
  await expectState(page, 'by the running page', 'Queued');
  await page.close();
  const again = await context.newPage();
  await again.goto('/#/room/lobby'); // from the service worker
  await say(again, 'after a cold start');
  const link = again.getByRole('link', { name: 'Open it' });
  await expect(link).toBeVisible();
  expect(proxy.admitted).toEqual([]);

  await context.setHTTPCredentials(credentials); // what a person types into the dialog of the page that the link opens
  await link.click();
  await expectState(again, 'after a cold start', 'Sent');
  await expect.poll(() => proxy.admitted.some((path) => path.includes('transport=websocket'))).toBe(true);

  // the manifest of a first visit, which no service worker has in its cache: it is what putting the app on the home screen needs
  const first = await browser.newContext({
    baseURL: proxy.url,
    httpCredentials: credentials,
    serviceWorkers: 'block',
  });
  const visit = await first.newPage();
  await visit.goto('/');
  const cdp = await first.newCDPSession(visit);
  expect(await cdp.send('Page.getAppManifest')).toMatchObject({
    errors: [],
    data: expect.stringContaining('"Holdfast"'),
  });
  expect(proxy.admitted.some((path) => path.endsWith('/manifest.webmanifest'))).toBe(true);
  await first.close();

  const log = await wholeLog(server.url, await signUpByApi(server.url, 'Reader'));
  expect(log.flatMap((entry) => bodyOf(entry) ?? [])).toEqual([
    'before',
    'by the running page',
    'after a cold start',
  ]);
});

/** The service worker can start the app, and a message was sent. */
async function signedUp(page: Page): Promise<{ page: Page; context: BrowserContext }> {
  await canStartOffline(page);
  await signUp(page, 'Ada');
  await say(page, 'before');
  await expectState(page, 'before', 'Sent');
  return { page, context: page.context() };
}
