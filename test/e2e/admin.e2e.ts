/** The page for operators in a real browser, with two processes on one MongoDB. */
import { hostname } from 'node:os';
import { ADMIN_HASH, ADMIN_PASSWORD } from '../support/adminClient.ts';
import { connectClient, signUp, text } from '../support/api.ts';
import { startMongo } from '../support/mongo/index.ts';
import { startServer } from '../support/serverProcess.ts';
import { expect, test } from './fixtures.ts';

test('a wrong password is refused; the right one shows both servers and the sockets of both, and nothing of what is said', async ({
  browser,
}) => {
  await using mongo = await startMongo();
  const env = { MONGODB_URL: mongo.url, ADMIN_PASSWORD_HASH: ADMIN_HASH };
  await using here = await startServer({ env });
  await using there = await startServer({ env });
  using ada = await connectClient(here.url, await signUp(here.url, 'ada marker'));
  using bo = await connectClient(there.url, await signUp(there.url, 'bo marker'));
  await using context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  page.on('request', (request) => {
    if (!request.url().startsWith(here.url)) problems.push(`a request to ${request.url()}`);
  });

  await page.goto(`${here.url}/admin/`);
  const signIn = async (password: string) => {
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Connect' }).click();
  };
  await expect(page.getByLabel('Server URL')).toHaveValue(here.url);
  await signIn('wrong');
  await expect(page.getByText('Invalid credentials')).toBeVisible();
  await signIn(ADMIN_PASSWORD);
  await expect(page.getByLabel('Password')).toBeHidden();

  await page.getByRole('link', { name: 'Servers' }).click();
  for (const server of [here, there])
    await expect(page.getByRole('cell', { name: String(server.pid()), exact: true })).toBeVisible();
  expect(await page.getByRole('cell', { name: hostname(), exact: true }).count()).toBe(2);
  await page.getByRole('link', { name: 'Sockets' }).click();
  for (const { socket } of [ada, bo]) await expect(page.getByText(socket.id!)).toBeVisible();
  await ada.append(text('marker text'));
  await bo.hears('marker text');
  const gone = bo.socket.id!;
  bo.close();
  await expect(page.getByText(gone)).toBeHidden();
  await page.getByText(ada.socket.id!).click();
  await expect(page.getByText(new RegExp(`"server": "${hostname()}#${here.pid()}-\\w{6}"`))).toBeVisible();
  expect(await page.textContent('body')).not.toContain('marker');
  await page.reload(); // by its session, without the password
  await expect(page.getByText('connected', { exact: true }).first()).toBeVisible();
  expect(problems).toEqual([]);
});
