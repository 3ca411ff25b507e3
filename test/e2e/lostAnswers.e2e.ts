/** Requests that reach the server, while the answer is lost. */
import { LOBBY } from '../../shared/mint.ts';
import { bodyOf, connectClient, newId, signUp as signUpByApi, text, wholeLog } from '../support/api.ts';
import { recordsOf } from '../support/indexedDb.ts';
import { waitFor } from '../support/waitFor.ts';
import { BOTH, composer, expect, expectState, message, say, signIn, signUp, test } from './fixtures.ts';
import { crowdSays, numbered } from './support/crowd.ts';
import { goToNewest } from './support/scroll.ts';

test('O3 L3 the answer to an append is lost: the message shows Checking, then Sent, and is one entry', async ({
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

const PASSWORD = 'seals and ice';
const REGRETTED = 'I should not have said this';

/** With more than 200 missed, only the newest are sent, so that the repeat is acknowledged inside a hole of the stored log. */
for (const missed of [0, 300]) {
  test(
    `L3 O3 S3 an answer is lost, another device deletes the message, then the append is repeated after ${missed} missed messages: one entry without text, no failed row`,
    BOTH,
    async ({ server, network, phone }) => {
      const session = await signUpByApi(server.url, 'Ada', { password: PASSWORD });
      using otherDevice = await connectClient(server.url, session);
      const page = await phone(network.url);
      await signIn(page, 'Ada', PASSWORD);
      await say(page, 'First');
      await expectState(page, 'First', 'Sent');

      network.swallowAnswers();
      await say(page, REGRETTED);
      const { clientOffset: target } = await otherDevice.hears(REGRETTED);
      network.refuse();
      await expectState(page, REGRETTED, 'Checking');
      const answer = await otherDevice.append({ kind: 'delete', room: LOBBY, clientOffset: newId(), target });
      expect(answer).toMatchObject({ ok: true, results: [{ serverOffset: expect.any(Number) }] });
      const others = numbered('other', missed);
      await crowdSays(server.url, others);

      network.pass();
      await expect(message(page, REGRETTED)).toHaveCount(0);
      await expect.poll(() => recordsOf(page, { store: 'rows' })).toEqual([]);
      await expect.poll(() => recordsOf(page, { containing: REGRETTED })).toEqual([]);
      await otherDevice.append(text('Later'));
      await goToNewest(page, 'Later');
      if (missed === 0) await expect(page.getByText('Message deleted')).toHaveCount(1);
      else expect(await recordsOf(page, { store: 'logSpans' })).toHaveLength(2); // the entry is in the hole between them
      await page.reload();
      await goToNewest(page, 'Later');
      await expect(page.getByText('Not sent')).toHaveCount(0);
      await expect(message(page, REGRETTED)).toHaveCount(0);
      expect(await recordsOf(page, { containing: REGRETTED })).toEqual([]);

      const log = await wholeLog(server.url, session);
      expect(log.filter((entry) => entry.clientOffset === target)).toMatchObject([{ deleted: true }]);
      expect(log.flatMap((entry) => bodyOf(entry) ?? [])).toEqual(['First', ...others, 'Later']);
    },
  );
}

test('the answer to a sign-up is lost and the sign-up retried: one user, signed in', async ({
  server,
  network,
  phone,
}) => {
  const page = await phone(network.url);
  const name = page.getByRole('textbox', { name: 'Your name' });
  const start = page.getByRole('button', { name: 'Start chatting' });
  await name.fill('Ada');

  network.cut(); // closes the connections that loaded the page
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
