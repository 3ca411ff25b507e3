/** A gap in the stored log is one line between the stored messages. */
import { connectClient, signUp as signUpByApi, text } from '../support/api.ts';
import { expect, expectInOrder, message, signUp, test } from './fixtures.ts';
import { crowdSays, numbered } from './support/crowd.ts';
import { expectReadUpTo, goToNewest, readToTheBeginning } from './support/scroll.ts';

test('S3 offline, all stored messages show, with one line where messages are missing; online, they are loaded', async ({
  server,
  network,
  phone,
}, info) => {
  using bob = await connectClient(server.url, await signUpByApi(server.url, 'Bob'));
  const page = await phone(network.url);
  await signUp(page, 'Ada');
  const before = numbered('before', 5);
  await bob.append(...before.map((body) => text(body)));
  await expectInOrder(page, before);
  await expectReadUpTo(page, 2 + before.length); // two entries are joins
  await page.getByRole('link', { name: 'Back to the rooms' }).click();
  network.refuse();
  await expect(page.getByText('Offline').first()).toBeAttached();
  const missed = numbered('missed', 1_000);
  await crowdSays(server.url, missed);
  network.pass();
  const lobby = page.getByRole('link', { name: /lobby/i });
  await expect(lobby).toHaveAccessibleName(new RegExp(missed.at(-1)!));
  network.refuse();
  await expect(page.getByText('Offline').first()).toBeAttached();

  await lobby.click();
  const gap = page.getByText(/You need a connection to load up to 9\d\d messages in between/);
  await expect(gap).toHaveCount(1);
  await expect(gap).toBeInViewport();
  await expect(message(page, before.at(-1)!)).toBeInViewport(); // what was read last
  await page.screenshot({ path: info.outputPath('gap.png') });
  await info.attach('gap', { path: info.outputPath('gap.png') });

  network.pass();
  await expect(gap).toHaveCount(0);
  await goToNewest(page, missed.at(-1)!);
  const { lines } = await readToTheBeginning(page);
  expect(lines).toEqual([...before, ...missed]);
});
