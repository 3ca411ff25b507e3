/** A new build, on a page that nobody touches: to be looked at by Playwright counts as a touch. */
import { copyBuild, publishNewBuild } from '../support/pageBuild.ts';
import { startServer } from '../support/serverProcess.ts';
import { canStartOffline, expect, test } from './fixtures.ts';
import { buildOf, untilOffered } from './support/offeredBuild.ts';

test.use({ trace: 'off' }); // it looks at every page

test('a new build is taken without a tap by a page that was just opened, but not beside another tab', async ({
  storage,
  phone,
}) => {
  test.slow();
  await copyBuild(storage.path);
  await using server = await startServer({ env: { PAGE: storage.path } });
  const page = await phone(server.url);
  await canStartOffline(page);
  await publishNewBuild(storage.path, 'second');
  await untilOffered(page);
  const other = await page.context().newPage();
  const workers = page.context().serviceWorkers();
  for (const worker of workers)
    await worker.evaluate(() =>
      self.addEventListener('message', ({ data }) => Reflect.set(self, 'asked', data.alone)),
    );
  const asked = () => Promise.all(workers.map((worker) => worker.evaluate(() => Reflect.get(self, 'asked'))));
  await expect(async () => {
    await other.goto(server.url); // again, if it needed longer than a page is fresh
    await expect.poll(asked, { timeout: 5_000 }).toContain(true);
  }).toPass();
  for (const worker of workers) await worker.evaluate(() => Reflect.get(self, 'clients').matchAll()); // as the worker has just done
  const waiting = await other.evaluate(async () => (await navigator.serviceWorker.ready).waiting?.state);
  expect(waiting).toBe('installed');
  await other.close();

  let loads = 0;
  page.on('framenavigated', () => loads++);
  await expect(async () => {
    loads = 0;
    await page.reload(); // again, if the browser still counts the other tab, or needed longer than a page is fresh
    await expect
      .poll(() => loads, { timeout: 5_000 })
      .toBeGreaterThan(1)
      .catch(() => {}); // late on a busy machine: the next reload shows it
    await expect.poll(() => buildOf(page).catch(() => undefined), { timeout: 2_000 }).toBe('second');
  }).toPass();
  await expect(page.getByRole('textbox', { name: 'Your name' })).toBeVisible();
});
