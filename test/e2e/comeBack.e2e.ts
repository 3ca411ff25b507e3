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
  await old.getByRole('button', { name: 'No, thanks' }).click(); // the first user was asked to become a keeper
  await expect(offer).toBeVisible();
  await old.screenshot({ path: `${SCREENS}/12-recovery-offer.png` });
  await offer.click();
  await old.getByRole('button', { name: 'Show a new code' }).click();
  const listed = old.getByRole('dialog').getByRole('listitem');
  await expect(listed).toHaveCount(12);
  const groups = await listed.allTextContents();
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

test('a keeper lets somebody back in who reads the number, and refuses a stranger; a keeper signs out one device', async ({
  server,
  phone,
}) => {
  const kim = await phone(server.url);
  await signUp(kim, 'Kim'); // the first user
  await kim.getByRole('button', { name: 'Menu' }).click();
  await kim.getByRole('button', { name: 'People who ask to come back' }).click();
  await kim.getByRole('button', { name: 'Become a keeper' }).click();
  await expect(kim.getByText('Nobody is asking now.')).toBeVisible();
  await kim.getByRole('button', { name: 'Close' }).click();

  const old = await phone(server.url);
  await signUp(old, 'Ada');
  await say(old, 'before the phone was lost');
  await expectState(old, 'before the phone was lost', 'Sent');
  const stranger = await phone(server.url);
  const fresh = await phone(server.url);
  for (const page of [stranger, fresh]) {
    await page.getByRole('textbox', { name: 'Your name' }).fill('Ada');
    await page.getByRole('button', { name: 'Start chatting' }).click();
    await page.getByRole('button', { name: 'Ask to come back' }).click();
    await page.getByRole('button', { name: 'Ask a keeper' }).click();
    await expect(page.getByText('Waiting for a keeper', { exact: false })).toBeVisible();
  }
  const numberOn = async (page: typeof fresh) =>
    (await page
      .getByRole('status')
      .filter({ hasText: /^\d{4}$/ })
      .textContent())!;
  const [foreign, own] = [await numberOn(stranger), await numberOn(fresh)];
  await fresh.screenshot({ path: `${SCREENS}/15-ask-to-come-back.png` });
  const found = await violations(fresh, 'waiting for a keeper');
  await fresh.reload(); // the phone made room while its owner was calling
  await expect(fresh.getByText(own, { exact: true })).toBeVisible();

  await kim.reload(); // in place of the ten seconds until the app looks
  await expect(kim.getByText('2 people ask to come back')).toBeVisible();
  await kim.getByRole('button', { name: 'Look', exact: true }).click();
  await kim.screenshot({ path: `${SCREENS}/16-keeper.png` });
  found.push(...(await violations(kim, 'the requests that a keeper sees')));
  await kim.getByRole('button', { name: `Refuse Ada, ${foreign}` }).click();
  await expect(stranger.getByText('A keeper has refused the request.')).toBeVisible();
  await kim.getByRole('button', { name: `Let in Ada, ${own}` }).click();
  await fresh.getByRole('link', { name: /lobby/i }).click();
  await expectState(fresh, 'before the phone was lost', 'Sent');
  await expect(old.getByRole('main').getByText('You are signed out', { exact: false })).toBeVisible();
  await expect(kim.getByText('Nobody is asking now.')).toBeVisible();
  await kim.getByRole('button', { name: 'Close' }).click();

  await kim.getByRole('main').getByRole('button', { name: 'Menu' }).click();
  await kim.getByRole('button', { name: 'People and this server' }).click();
  await kim.getByRole('dialog').getByRole('textbox').fill('ad');
  await kim.getByRole('button', { name: 'Find' }).click();
  await kim.getByRole('button', { name: 'Change Ada' }).click();
  await kim.getByRole('button', { name: 'Show their devices' }).click();
  await kim.getByRole('button', { name: /Sign out the device/ }).click();
  await expect(fresh.getByRole('main').getByText('You are signed out', { exact: false })).toBeVisible();
  await expect(kim.getByRole('heading', { name: 'Devices of Ada' })).toBeVisible();
  found.push(...(await violations(kim, 'the devices of a person')));
  expect(found).toEqual([]);
});
