/** Going to a date from the menu of a room: also in a part that the device does not hold, and without a connection where it does. */
import type { Page } from '@playwright/test';
import { connectClient, signUp as signUpByApi, text } from '../support/api.ts';
import { expect, message, signUp, test } from './fixtures.ts';
import { crowdSays, numbered } from './support/crowd.ts';

test('a date opens the room at the first message of that day; where there is none, or no connection, it says so', async ({
  server,
  network,
  phone,
}) => {
  test.setTimeout(90_000);
  using bob = await connectClient(server.url, await signUpByApi(server.url, 'Bob'));
  await bob.append(text('The first of the day'));
  await crowdSays(server.url, numbered('since', 250));
  const page = await phone(network.url);
  await signUp(page, 'Ada');
  await expect(message(page, 'since 250')).toBeVisible();

  const today = await page.evaluate(() => {
    const now = new Date();
    const two = (n: number) => String(n).padStart(2, '0');
    return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  });
  const dialog = await openSheet(page);
  await dialog.getByRole('button', { name: 'Go there' }).click();
  await expect(dialog).toContainText('Choose a date first.');
  await dialog.getByLabel('Date').fill('2001-09-09');
  await dialog.getByRole('button', { name: 'Go there' }).click();
  await expect(dialog).toContainText('Nobody wrote on that day.');
  await page.setViewportSize({ width: 320, height: 640 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
  await page.screenshot({ path: 'test-results/screens/go-to-a-date.png' });

  network.refuse();
  await expect(page.getByText('Offline. What you write is sent later.').first()).toBeAttached();
  await dialog.getByLabel('Date').fill(today);
  await dialog.getByRole('button', { name: 'Go there' }).click();
  await expect(dialog).toContainText('That day is not on this device.');
  network.pass();
  await expect(page.getByText('Offline. What you write is sent later.')).toHaveCount(0);
  await dialog.getByRole('button', { name: 'Go there' }).click();
  await expect(dialog).toHaveCount(0);
  await expect(message(page, 'The first of the day')).toBeInViewport();

  await page.getByRole('button', { name: 'Go to the newest message' }).click();
  await expect(message(page, 'since 250')).toBeInViewport();
  network.refuse();
  const again = await openSheet(page);
  await again.getByLabel('Date').fill(today);
  await again.getByRole('button', { name: 'Go there' }).click();
  await expect(message(page, 'The first of the day')).toBeInViewport();
});

async function openSheet(page: Page) {
  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Go to a date' }).click();
  const dialog = page.getByRole('dialog', { name: 'Go to a date' });
  await expect(dialog).toBeVisible();
  return dialog;
}
