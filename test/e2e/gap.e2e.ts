/** A gap in the stored log is one line between the stored messages. */
import { connectClient, signUp as signUpByApi, text } from '../support/api.ts';
import { expect, expectInOrder, message, signUp, test } from './fixtures.ts';
import { crowdSays, numbered } from './support/crowd.ts';
import { readToTheBeginning } from './support/scroll.ts';

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
  network.refuse();
  await expect(page.getByText('Offline').first()).toBeAttached();
  const missed = numbered('missed', 1_000);
  await crowdSays(server.url, missed);
  network.pass();
  await expect(message(page, missed.at(-1)!)).toBeInViewport();
  network.refuse();
  await expect(page.getByText('Offline').first()).toBeAttached();

  const gap = page.getByText(/You need a connection to load up to 9\d\d messages in between/);
  await page.locator('.log').evaluate(async (log) => {
    for (
      let frames = 0;
      frames < 600 && !(log.scrollTop === 0 && log.querySelector('[data-gap]'));
      frames++
    ) {
      log.scrollTop -= log.clientHeight / 2;
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
  });
  await expect(gap).toHaveCount(1);
  await expect(gap).toBeInViewport();
  for (const body of before) await expect(message(page, body)).toBeInViewport();
  await page.screenshot({ path: info.outputPath('gap.png') });
  await info.attach('gap', { path: info.outputPath('gap.png') });

  network.pass();
  await expect(gap).toHaveCount(0);
  await page.getByRole('button', { name: 'Go to the newest message' }).click();
  await expect(message(page, missed.at(-1)!)).toBeInViewport();
  const { lines } = await readToTheBeginning(page);
  expect(lines).toEqual([...before, ...missed]);
});
