/** What keepers and moderators do about people, in the browser: suspend and lift, remove and ban, each after a second tap. */
import { connectClient, newId, signUp as signUpByApi } from '../support/api.ts';
import { violations } from '../support/axe.ts';
import { expect, expectState, message, say, signUp, test } from './fixtures.ts';

const SCREENS = 'test-results/screens';

test('O2 who is suspended is told so, keeps everything on the device and what waits, which is sent once that is lifted', async ({
  server,
  phone,
}) => {
  const kim = await phone(server.url);
  await signUp(kim, 'Kim'); // the first user
  await kim.getByRole('button', { name: 'Menu' }).click();
  await kim.getByRole('button', { name: 'People who ask to come back' }).click();
  await kim.getByRole('button', { name: 'Become a keeper' }).click();
  await kim.getByText('Nobody is asking now.').waitFor();
  const ada = await phone(server.url);
  await signUp(ada, 'Ada');
  await say(ada, 'before');
  await expectState(ada, 'before', 'Sent');

  await kim.reload();
  const sheet = kim.getByRole('dialog');
  await kim.getByRole('main').getByRole('button', { name: 'Menu' }).click();
  await sheet.getByRole('button', { name: 'People and this server' }).click();
  const open = async () => {
    await sheet.getByRole('textbox').fill('Ada');
    await sheet.getByRole('button', { name: 'Find' }).click();
    await sheet.getByRole('button', { name: 'Change Ada' }).click();
  };
  await open();
  await sheet.getByRole('button', { name: 'Suspend' }).click();
  await expect(sheet).toContainText('Nothing is deleted');
  await expect(sheet.getByRole('button', { name: 'Cancel' })).toBeFocused();
  await kim.screenshot({ path: `${SCREENS}/42-suspend.png` });
  const found = await violations(kim, 'suspending somebody');
  await sheet.getByRole('button', { name: 'Cancel' }).click();
  await expect(sheet.getByRole('button', { name: 'Suspend' })).toBeFocused();
  await sheet.getByRole('button', { name: 'Suspend' }).click();
  await sheet.getByRole('button', { name: 'Yes, suspend them' }).click();
  await expect(sheet).toContainText('suspended');

  const line = ada.getByRole('main').getByText('A keeper has suspended this account.', { exact: false });
  await expect(line).toBeVisible();
  await say(ada, 'waits');
  await expectState(ada, 'waits', 'Queued');
  await ada.reload();
  await expect(line).toBeVisible();
  await expect(message(ada, 'before')).toBeVisible();
  await expectState(ada, 'waits', 'Queued');
  await ada.screenshot({ path: `${SCREENS}/43-suspended.png` });
  found.push(...(await violations(ada, 'being suspended')));

  await open();
  await sheet.getByRole('button', { name: 'Lift the suspension' }).click();
  await expectState(ada, 'waits', 'Sent');
  await expect(line).toHaveCount(0, { timeout: 30_000 }); // the app asks every ten seconds
  expect(found).toEqual([]);
});

test('who removes or bans somebody is told first what will happen', async ({ server, phone }) => {
  const page = await phone(server.url);
  await signUp(page, 'Ada');
  await page.getByRole('link', { name: 'Back to the rooms' }).click();
  await page.getByRole('button', { name: 'Add a room' }).click();
  await page.getByRole('textbox', { name: 'Name of a new room' }).fill('Deck');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'Deck' })).toBeVisible();
  const room = new URL(page.url()).hash.slice('#/room/'.length);
  using mika = await connectClient(server.url, await signUpByApi(server.url, 'Mika'));
  await mika.joins(room);
  const join = async () => (await mika.request('room:join', { room, clientOffset: newId() })).ok;
  await expect(page.getByText('2 people')).toBeVisible();

  const sheet = page.getByRole('dialog');
  const openActions = async () => {
    await page.getByRole('main').getByRole('button', { name: 'Menu' }).click();
    await sheet.getByRole('button', { name: 'Who is here' }).click();
    await sheet.getByRole('button', { name: /do about \W?Mika/ }).click();
  };
  await openActions();
  await sheet.getByRole('button', { name: 'Remove from the room' }).click();
  await expect(sheet).toContainText('They can come back');
  await expect(page.getByText('2 people')).toBeAttached(); // the first tap does nothing
  const found = await violations(page, 'removing a member');
  await sheet.getByRole('button', { name: 'Yes, remove them' }).click();
  await expect(page.getByText('1 person')).toBeAttached();
  await page.keyboard.press('Escape');
  expect(await join()).toBe(true);
  await expect(page.getByText('2 people')).toBeVisible();
  await openActions();
  await sheet.getByRole('button', { name: 'Ban from the room' }).click();
  await expect(sheet).toContainText('until a moderator lifts the ban');
  await sheet.getByRole('button', { name: 'Yes, ban them' }).click();
  await expect(sheet.getByRole('button', { name: /Lift the ban of \W?Mika/ })).toBeVisible();
  expect(await join()).toBe(false);
  expect(found).toEqual([]);
});
