/** The end of a session while messages wait, and the warnings before signing out. */
import { get } from 'node:http';
import type { Page } from '@playwright/test';
import { expect, expectState, say, signUp, test } from './fixtures.ts';

test('O4 a session is revoked elsewhere while messages wait: they are kept, and signing in again sends them', async ({
  server,
  network,
  phone,
}) => {
  const page = await phone(network.url);
  await signUp(page, 'Rita');
  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('button', { name: 'Set a password' }).click();
  await page.getByRole('textbox', { name: 'New password' }).fill('correct horse');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('dialog')).toHaveCount(0);

  network.refuse();
  for (const body of ['waits 1', 'waits 2']) await say(page, body);
  expect(await revoke(page, server.port, network.url)).toBe(200);
  network.pass();
  await expect(
    page.getByRole('main').getByText('You are signed out. Sign in to send your waiting messages.'),
  ).toBeVisible();
  await expectState(page, 'waits 2', 'Queued');

  await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click();
  const sheet = page.getByRole('dialog');
  await sheet.getByRole('button', { name: 'Sign in' }).click();
  await expect(sheet.getByText('Enter a password first.')).toBeVisible();
  await sheet.getByLabel('Password').fill('wrong horse');
  await sheet.getByRole('button', { name: 'Sign in' }).click();
  await expect(sheet.getByText('The password is wrong', { exact: false })).toBeVisible();
  await sheet.getByLabel('Password').fill('correct horse');
  await sheet.getByRole('button', { name: 'Sign in' }).click();
  for (const body of ['waits 1', 'waits 2']) await expectState(page, body, 'Sent');
});

test('the sheet warns that signing out is final, and mentions waiting messages only if there are any', async ({
  network,
  phone,
}) => {
  const page = await phone(network.url);
  await signUp(page, 'Yuri');
  await say(page, 'sent');
  await expectState(page, 'sent', 'Sent');
  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  const sheet = page.getByRole('dialog');
  await expect(sheet.getByRole('button', { name: 'Sign out for good' })).toBeVisible();
  await expect(sheet).not.toContainText('never be sent');
  network.refuse();
  await sheet.getByRole('button', { name: 'Cancel' }).click();
  await say(page, 'waits');
  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(sheet).toContainText('1 message is waiting and will never be sent.');
});

/** Signs the device out by its cookie, without the page. Resolves with the HTTP status. */
async function revoke(page: Page, port: number, origin: string): Promise<number | undefined> {
  const cookies = await page.context().cookies();
  const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
  const headers = { cookie, host: new URL(origin).host, origin };
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: '/api/session', method: 'DELETE', headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    }).on('error', reject);
  });
}
