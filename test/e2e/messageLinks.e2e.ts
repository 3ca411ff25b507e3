/** Links to messages: copied, followed as the first page, from another conversation, without a connection, and by somebody who is no member. */
import type { Page } from '@playwright/test';
import { connectClient, newId, signUp as signUpByApi, text } from '../support/api.ts';
import {
  canStartOffline,
  composer,
  expect,
  expectState,
  message,
  rightClick,
  say,
  signUp,
  test,
} from './fixtures.ts';
import { crowdSays, numbered } from './support/crowd.ts';

const OLD = 'The key is under the third stone';

test('a copied link opens the room at its message, also in a part that the device does not hold, and as the first page', async ({
  server,
  network,
  phone,
}) => {
  test.setTimeout(90_000);
  using bob = await connectClient(server.url, await signUpByApi(server.url, 'Bob'));
  const [before, old] = [await bob.append(text('before')), await bob.append(text(OLD))];
  expect(before.ok && old.ok).toBe(true);
  await crowdSays(server.url, numbered('since', 250));

  const page = await phone(network.url);
  await signUp(page, 'Ada');
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await say(page, 'mine');
  await expectState(page, 'mine', 'Sent');
  await rightClick(page, 'mine');
  await page.getByRole('menuitem', { name: 'Copy link' }).click();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied).toMatch(/\/#\/room\/lobby\/\d+$/);
  const link = copied.replace(/\d+$/, String(offsetOf(old)));

  const other = await page.context().newPage();
  await other.goto(link);
  await expect(message(other, OLD)).toBeInViewport();
  await expect(message(other, OLD)).toBeFocused();
  await expect.poll(() => hashOf(other)).toBe('#/room/lobby');
  await other.close();

  // from another room, in place
  await page.evaluate(() => Object.assign(window, { neverReloaded: true }));
  const room = newId();
  const ada = page.getByRole('link', { name: 'Back to the rooms' });
  await ada.click();
  await page.getByRole('button', { name: 'Add a room' }).click();
  await page.getByRole('textbox', { name: 'Name of a new room' }).fill(`Notes ${room.slice(0, 3)}`);
  await page.getByRole('button', { name: 'Create' }).click();
  await expect(page.getByRole('heading', { name: 'Notes' })).toBeVisible();
  await say(page, `see ${link}`);
  await page.getByRole('log').getByRole('link').first().click();
  await expect(message(page, OLD)).toBeInViewport();
  expect(page.context().pages()).toHaveLength(1);

  // again from the same room, without a connection: it is held now
  await say(page, `again ${link}`);
  await page.getByRole('log').getByRole('link').last().scrollIntoViewIfNeeded();
  network.refuse();
  await expect(page.getByRole('main').getByText('Offline. What you write is sent later.')).toBeVisible();
  await page.getByRole('log').getByRole('link').last().click();
  await expect(message(page, OLD)).toBeInViewport();
  expect(await page.evaluate(() => 'neverReloaded' in window)).toBe(true);
});

test('a link to what is not held says so without a connection, and goes there once there is one', async ({
  server,
  network,
  phone,
}) => {
  using bob = await connectClient(server.url, await signUpByApi(server.url, 'Bob'));
  const old = await bob.append(text(OLD));
  await crowdSays(server.url, numbered('since', 250));
  const page = await phone(network.url);
  await signUp(page, 'Ada');
  await expect(message(page, 'since 250')).toBeVisible();
  await canStartOffline(page);
  network.refuse();
  await page.goto(`${network.url}/#/room/lobby/${offsetOf(old)}`);
  await page.reload();
  await expect(page.getByText('That message cannot be loaded now.')).toBeVisible();
  network.pass();
  await expect(message(page, OLD)).toBeInViewport();
});

test('a link to a message of a private room tells somebody who is no member nothing', async ({
  server,
  phone,
}) => {
  using bob = await connectClient(server.url, await signUpByApi(server.url, 'Bob'));
  const room = newId();
  await bob.makeRoom({ id: room, kind: 'private', name: 'Secret' });
  await bob.append(text(OLD, room));
  const page = await phone(`${server.url}/#/room/${room}/2`);
  await page.getByRole('textbox', { name: 'Your name' }).fill('Eve');
  await page.getByRole('button', { name: 'Start chatting' }).click();
  await expect(page.getByText('This room does not exist, or it is private')).toBeVisible();
  await expect(composer(page)).toHaveCount(0);
});

function offsetOf(answer: Awaited<ReturnType<Awaited<ReturnType<typeof connectClient>>['append']>>): number {
  const [result] = answer.ok ? answer.results : [];
  return (result as { serverOffset: number }).serverOffset;
}

function hashOf(page: Page): Promise<string> {
  return page.evaluate(() => location.hash);
}
