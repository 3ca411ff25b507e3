/** Coming back as oneself on a new device, without a password and without the old one. */
import { violations } from '../support/axe.ts';
import { expect, expectState, say, signUp, test } from './fixtures.ts';

const SCREENS = 'test-results/screens';

test('a recovery code from the third message brings the person back on a new phone, and signs out the old one', async ({
  server,
  phone,
}) => {
  const old = await phone(server.url);
  await signUp(old, 'Ada');
  const offer = old.getByRole('button', { name: 'Get the code' });
  for (const body of ['one', 'two']) await say(old, body);
  await expectState(old, 'two', 'Sent');
  await expect(offer).toHaveCount(0);
  await say(old, 'three');
  await expect(offer).toBeVisible();
  await old.screenshot({ path: `${SCREENS}/12-recovery-offer.png` });
  await offer.click();
  await old.getByRole('button', { name: 'Show a new code' }).click();
  const groups = await old.getByRole('dialog').getByRole('listitem').allTextContents();
  expect(groups).toHaveLength(12);
  await old.screenshot({ path: `${SCREENS}/13-recovery-code.png` });
  const found = await violations(old, 'the recovery code');
  await old.getByRole('button', { name: 'I have written it down' }).click();
  await expect(offer).toHaveCount(0);

  const fresh = await phone(server.url);
  await fresh.getByRole('textbox', { name: 'Your name' }).fill('ada');
  await fresh.getByRole('button', { name: 'Start chatting' }).click();
  await fresh.getByRole('button', { name: 'I have a recovery code' }).click();
  const code = fresh.getByRole('textbox', { name: 'The twelve groups of four digits' });
  const signIn = fresh.getByRole('dialog').getByRole('button', { name: 'Sign in' });
  await code.fill(groups.slice(1).join(' '));
  await signIn.click();
  await expect(fresh.getByText('The code has 48 digits. Here there are 44.')).toBeVisible();
  await fresh.screenshot({ path: `${SCREENS}/14-enter-recovery-code.png` });
  found.push(...(await violations(fresh, 'entering a recovery code')));
  await code.fill(groups.join(' '));
  await fresh.getByRole('checkbox', { name: 'Sign out my other devices' }).check();
  await signIn.click();
  await fresh.getByRole('link', { name: /lobby/i }).click();
  await expectState(fresh, 'three', 'Sent');
  await expect(old.getByRole('main').getByText('You are signed out', { exact: false })).toBeVisible();
  expect(found).toEqual([]);
});
