/** Offline: messages are queued, survive a kill, and are sent by themselves. */
import { bodyOf, connectClient, signUp as signUpByApi, wholeLog } from '../support/api.ts';
import {
  canStartOffline,
  composer,
  expect,
  expectInOrder,
  expectState,
  message,
  say,
  signUp,
  startInstallation,
  test,
} from './fixtures.ts';

const TWENTY = Array.from({ length: 20 }, (_, i) => `Written offline, number ${i + 1}`);

test('O1 O2 twenty messages are written offline and the browser is killed: after a restart all arrive once, in order', async ({
  server,
  network,
  storage,
}) => {
  test.setTimeout(120_000);
  const watcherSession = await signUpByApi(server.url, 'Watcher');
  using watcher = await connectClient(server.url, watcherSession);

  const before = await startInstallation(storage.path, network.url);
  const page = await before.context.newPage();
  await page.goto('/');
  await signUp(page, 'Ada');
  await say(page, 'While there is a network');
  await expectState(page, 'While there is a network', 'Sent');
  await canStartOffline(page);

  network.refuse();
  for (const body of TWENTY) await say(page, body);
  await expectState(page, TWENTY[19]!, 'Queued');
  await before.kill9();

  const after = await startInstallation(storage.path, network.url);
  const again = await after.context.newPage();
  await again.goto('/'); // served by the service worker, since the proxy still refuses
  await again.getByRole('link', { name: /lobby/i }).click();
  await expectInOrder(again, ['While there is a network', ...TWENTY]);
  for (const body of TWENTY) await expectState(again, body, 'Queued');
  await expect(composer(again)).toHaveValue('');

  network.pass(); // no user action
  await watcher.hears(TWENTY[19]!);
  for (const body of TWENTY) await expectState(again, body, 'Sent');
  const log = await wholeLog(server.url, watcherSession);
  expect(log.flatMap((entry) => bodyOf(entry) ?? [])).toEqual(['While there is a network', ...TWENTY]);
  await expectInOrder(again, ['While there is a network', ...TWENTY]);
  await after.close();
});

test('O1 an offline reload opens the app, the room and the queued messages', async ({ network, phone }) => {
  const page = await phone(network.url);
  await signUp(page, 'Ada');
  await say(page, 'Sent before');
  await expectState(page, 'Sent before', 'Sent');
  await canStartOffline(page);

  network.refuse();
  await say(page, 'Waits');
  await page.reload();
  await expectInOrder(page, ['Sent before', 'Waits']);
  await expectState(page, 'Waits', 'Queued');
  network.pass();
  await expectState(page, 'Waits', 'Sent');
  await expect(message(page, 'Waits')).toHaveCount(1);
});
