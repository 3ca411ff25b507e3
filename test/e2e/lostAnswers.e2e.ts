/** The server heard, and its answer is lost on the way. */
import { bodyOf, connectClient, signUp as signUpByApi, wholeLog } from '../support/api.ts';
import { waitFor } from '../support/waitFor.ts';
import { composer, expect, expectState, message, say, signUp, test } from './fixtures.ts';

test('O3 L3 the answer to an append is lost: Checking, then Sent, one entry', async ({
  server,
  network,
  phone,
}) => {
  const session = await signUpByApi(server.url, 'Watcher');
  using watcher = await connectClient(server.url, session);
  const page = await phone(network.url);
  await signUp(page, 'Ada');
  await say(page, 'First');
  await expectState(page, 'First', 'Sent');

  network.swallowAnswers();
  await say(page, 'Did you get this?');
  await watcher.hears('Did you get this?');
  await expectState(page, 'Did you get this?', 'Sending');
  network.refuse();
  await expectState(page, 'Did you get this?', 'Checking');

  network.pass();
  await expectState(page, 'Did you get this?', 'Sent');
  await expect(message(page, 'Did you get this?')).toHaveCount(1);
  const log = await wholeLog(server.url, session);
  expect(log.filter((entry) => bodyOf(entry) === 'Did you get this?')).toHaveLength(1);
});

test('the answer to a sign-up is lost, and it is tried again: one user, signed in', async ({
  server,
  network,
  phone,
}) => {
  const page = await phone(network.url);
  const name = page.getByRole('textbox', { name: 'Your name' });
  const start = page.getByRole('button', { name: 'Start chatting' });
  await name.fill('Ada');

  network.cut(); // what is open is from loading the page
  network.swallowAnswers();
  const before = network.seen('down');
  await start.click();
  await waitFor('the server has answered', () => network.seen('down') > before);
  network.refuse();
  await expect(page.getByText('cannot be reached', { exact: false })).toBeVisible();

  network.pass();
  await start.click();
  await expect(composer(page)).toBeVisible();
  await expect(page.getByText('1 person')).toBeVisible();
  await say(page, 'Here I am');
  await expectState(page, 'Here I am', 'Sent');
  const session = await signUpByApi(server.url, 'Watcher');
  const log = await wholeLog(server.url, session);
  expect(log.filter((entry) => entry.kind === 'join')).toHaveLength(2);
});
