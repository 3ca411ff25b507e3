/** A message that the server refuses does not block others, and its text is kept for the user to decide (L5, O4). */
import { bodyOf, connectClient, signUp as signUpByApi, wholeLog } from '../support/api.ts';
import { recordsOf, rewriteRow } from '../support/indexedDb.ts';
import { composer, expect, expectInOrder, expectState, message, say, signUp, test } from './fixtures.ts';
import { numbered } from './support/crowd.ts';

const TOO_LONG = 'far too long '.repeat(400).trim();

test('L5 O4 the first of five queued messages is refused permanently: the other four are sent; the refused one is edited and sent', async ({
  server,
  network,
  phone,
}) => {
  const session = await signUpByApi(server.url, 'Watcher');
  using watcher = await connectClient(server.url, session);
  const page = await phone(network.url);
  await page.addInitScript(() => Reflect.deleteProperty(globalThis, 'SyncManager')); // or the service worker may send them
  await page.reload();
  await signUp(page, 'Ada');
  const five = numbered('queued', 5);
  network.refuse();
  for (const body of five) await say(page, body);
  await rewriteRow(page, five[0]!, TOO_LONG); // this app would refuse it; another version might not

  network.pass();
  await watcher.hears(five[4]!);
  for (const body of five.slice(1)) await expectState(page, body, 'Sent');
  await expectInOrder(page, [...five.slice(1), TOO_LONG]); // after the others, which were not blocked
  await message(page, TOO_LONG).getByRole('button', { name: 'Not sent' }).click();
  const why = page.getByRole('dialog', { name: 'Not sent' });
  await expect(why).toContainText('This message has 5,199 characters. The limit is 4,000.');
  await why.getByRole('button', { name: 'Edit' }).click();

  await expect(composer(page)).toHaveValue(TOO_LONG);
  await composer(page).fill('short enough');
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await expectState(page, 'short enough', 'Sent');
  const all = [...five.slice(1), 'short enough'];
  await expectInOrder(page, all);
  await expect(message(page, TOO_LONG)).toHaveCount(0);
  const log = await wholeLog(server.url, session);
  expect(log.flatMap((entry) => bodyOf(entry) ?? [])).toEqual(all);
  expect(await recordsOf(page, { store: 'rows' })).toEqual([]);
});
