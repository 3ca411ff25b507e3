/** Unread counts in the list of rooms, the same on all devices of a user. */
import type { Page } from '@playwright/test';
import { LOBBY } from '../../shared/mint.ts';
import { connectClient, signUp as signUpByApi, text } from '../support/api.ts';
import { composer, expect, message, signUp, test } from './fixtures.ts';

test('messages of others count as unread until they were in view, on every device of the user', async ({
  server,
  phone,
}) => {
  using mika = await connectClient(server.url, await signUpByApi(server.url, 'Mika'));
  const page = await phone(server.url);
  await signUp(page, 'Ada');
  const other = await phone(server.url);
  await other.context().addCookies(await page.context().cookies());
  await other.reload();
  await expect(lobby(other)).toBeVisible();

  await page.getByRole('link', { name: 'Back to the rooms' }).click();
  for (const body of ['one', 'two']) await mika.append(text(body, LOBBY));
  await expect(lobby(page)).toHaveAccessibleName(/2 unread/);
  await expect(lobby(other)).toHaveAccessibleName(/2 unread/);

  await lobby(page).click();
  await expect(message(page, 'two')).toBeVisible();
  await expect(lobby(other)).not.toHaveAccessibleName(/unread/);
  await page.getByRole('link', { name: 'Back to the rooms' }).click();
  await expect(composer(page)).toBeHidden();
  await expect(lobby(page)).not.toHaveAccessibleName(/unread/);
});

function lobby(page: Page) {
  return page.getByRole('link', { name: /lobby/i });
}
