/** Networks that misbehave: blocked WebSockets, captive portals, a server that says bye. */
import { bodyOf, signUp as signUpByApi, wholeLog } from '../support/api.ts';
import { expect, expectState, say, signUp, test } from './fixtures.ts';

test('O2 WebSockets open but carry no data: the app falls back to long polling', async ({
  server,
  phone,
}) => {
  const page = await phone(server.url);
  await page.routeWebSocket(/\/socket\.io\//, () => {}); // opens, but never carries data
  await page.reload();
  await signUp(page, 'Ada');
  await say(page, 'by another way');
  await expectState(page, 'by another way', 'Sent');
});

test('O2 O3 a captive portal: its answers are not trusted, nothing is lost, and the app recovers by itself', async ({
  server,
  phone,
}) => {
  const page = await phone(server.url);
  await page.addInitScript(() => Reflect.deleteProperty(globalThis, 'SyncManager')); // or the service worker would send by HTTP
  await page.reload();
  await signUp(page, 'Ada');
  await say(page, 'before the hotel');
  await expectState(page, 'before the hotel', 'Sent');

  const portal = { status: 200, contentType: 'text/html', body: '<html>Welcome to the hotel</html>' };
  const isOurs = /\/(api|socket\.io)\//;
  await page.route(isOurs, (route) => route.fulfill(portal));
  await page.routeWebSocket(isOurs, (socket) => socket.close());
  await page.reload();
  await expectState(page, 'before the hotel', 'Sent');
  await say(page, 'from the hotel');
  await expectState(page, 'from the hotel', 'Queued');
  await expect(page.getByText('Offline').first()).toBeAttached();

  await page.unrouteAll(); // WebSockets stay blocked: long polling suffices
  await expectState(page, 'from the hotel', 'Sent');
  const log = await wholeLog(server.url, await signUpByApi(server.url, 'Reader'));
  expect(log.flatMap((entry) => bodyOf(entry) ?? [])).toEqual(['before the hotel', 'from the hotel']);
});

test('O2 O3 the server says bye: no error shows, nothing is lost or duplicated, and the app reconnects by itself', async ({
  server,
  phone,
}) => {
  const page = await phone(server.url);
  const told: string[] = [];
  page.on('websocket', (socket) => {
    socket.on('framereceived', ({ payload }) => told.push(String(payload)));
  });
  await page.addInitScript(() => Reflect.deleteProperty(globalThis, 'SyncManager')); // or the service worker would send by HTTP
  await page.reload();
  await signUp(page, 'Ada');
  await page.evaluate(() => Object.assign(globalThis, { neverReloaded: true }));
  await say(page, 'before');
  await expectState(page, 'before', 'Sent');

  await say(page, 'into the bye'); // the server may or may not receive it
  expect(await server.stop()).toBe(0);
  // Playwright reports frames later than the server sends them.
  await expect.poll(() => told.filter((frame) => frame.startsWith('42["bye"'))).toHaveLength(1);
  await say(page, 'meanwhile');
  await server.start();
  for (const body of ['into the bye', 'meanwhile']) await expectState(page, body, 'Sent');
  expect(await page.evaluate(() => 'neverReloaded' in globalThis)).toBe(true);
  const log = await wholeLog(server.url, await signUpByApi(server.url, 'Reader'));
  expect(log.flatMap((entry) => bodyOf(entry) ?? [])).toEqual(['before', 'into the bye', 'meanwhile']);
});
