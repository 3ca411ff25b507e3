/** Reports of messages and people: from the menu of a message to those who decide. */
import { directRoomOf } from '../../shared/directPair.ts';
import { connectClient, signUp as signUpByApi, text } from '../support/api.ts';
import { violations } from '../support/axe.ts';
import { expect, message, rightClick, signUp, test } from './fixtures.ts';

const SCREENS = 'test-results/screens';

test('a report reaches the moderator, who reads what is around it, deletes the message and closes the report; one in private reaches the keeper', async ({
  server,
  network,
  phone,
}) => {
  const ada = await phone(server.url);
  await signUp(ada, 'Ada'); // the first user
  const sheet = ada.getByRole('dialog');
  await ada.getByRole('main').getByRole('button', { name: 'Menu' }).click();
  await ada.getByRole('button', { name: 'People who ask to come back' }).click();
  await ada.getByRole('button', { name: 'Become a keeper' }).click();
  await ada.getByText('Nobody is asking now.').waitFor();
  await ada.reload();
  await ada.getByRole('link', { name: 'Back to the rooms' }).click();
  await ada.getByRole('button', { name: 'Add a room' }).click();
  await ada.getByRole('textbox', { name: 'Name of a new room' }).fill('Deck');
  await ada.keyboard.press('Enter');
  await expect(ada.getByRole('heading', { name: 'Deck' })).toBeVisible();
  const room = new URL(ada.url()).hash.slice('#/room/'.length);

  using mika = await connectClient(server.url, await signUpByApi(server.url, 'Mika'));
  await mika.joins(room);
  const lin = await phone(network.url);
  await signUp(lin, 'Lin');
  await lin.goto(`${network.url}/#/room/${room}`);
  await lin.getByRole('button', { name: /Join/ }).click();
  await mika.append(text('Good morning', room), text('You are all stupid', room), text('Ha!', room));

  await rightClick(lin, 'You are all stupid');
  await lin.getByRole('menuitem', { name: 'Report' }).click();
  const form = lin.getByRole('dialog', { name: 'Report this message' });
  await expect(form).toContainText('moderators of this room');
  const found = await violations(lin, 'reporting a message');
  await form.getByRole('textbox').fill('He insults us every day.');
  await lin.screenshot({ path: `${SCREENS}/40-report.png` });
  network.refuse();
  await form.getByRole('button', { name: 'Send the report' }).click();
  await expect(form.getByRole('alert')).toHaveText(/^The report was not sent/);
  await expect(form.getByRole('textbox')).toHaveValue('He insults us every day.');
  network.pass();
  await form.getByRole('button', { name: 'Send the report' }).click();
  await expect(form.getByRole('status')).toHaveText('The report was sent. Thank you.');
  await form.getByRole('button', { name: 'Done' }).click();
  await expect(form).toHaveCount(0);

  await ada.getByRole('main').getByRole('button', { name: 'Menu' }).click();
  await sheet.getByRole('button', { name: '1 report' }).click();
  await expect(sheet).toContainText('Reported by ⁨Lin⁩');
  found.push(...(await violations(ada, 'the list of reports')));
  await sheet.getByRole('button', { name: /^Look at the report/ }).click();
  await expect(sheet).toContainText('He insults us every day.');
  for (const body of ['Good morning', 'You are all stupid', 'Ha!']) await expect(sheet).toContainText(body);
  await ada.screenshot({ path: `${SCREENS}/41-report-read.png` });
  found.push(...(await violations(ada, 'a report')));
  await sheet.getByRole('button', { name: 'Delete the message' }).click();
  await expect(sheet.getByText('Deleted')).toBeVisible();
  await expect(message(lin, 'You are all stupid')).toHaveCount(0);
  await sheet.getByRole('button', { name: 'Close the report' }).click();
  await expect(sheet).toContainText('There are no open reports.');
  await sheet.getByRole('button', { name: 'Close', exact: true }).click();

  const people = await mika.request('presence', { room });
  const id = Object.entries(people.ok ? people.users : {}).find(([, { name }]) => name === 'Lin')![0];
  const direct = directRoomOf(mika.session.user.id, id);
  await mika.append(text('Nobody else sees this', direct));
  await lin.goto(`${network.url}/#/room/${direct}`);
  await message(lin, 'Nobody else sees this').getByRole('button', { name: 'More' }).click();
  await lin.getByRole('dialog').getByRole('button', { name: 'Report' }).click();
  await expect(form).toContainText('who otherwise cannot read this conversation');
  await form.getByRole('button', { name: 'Send the report' }).click();
  await form.getByRole('button', { name: 'Done' }).click();
  await message(lin, 'Nobody else sees this').getByRole('button', { name: 'More' }).click();
  await lin.getByRole('button', { name: /^About .Mika/ }).click();
  await lin.getByRole('dialog').getByRole('button', { name: 'Report' }).click();
  await expect(lin.getByRole('heading', { name: /^Report .Mika/ })).toBeVisible();
  await lin.getByRole('button', { name: 'Send the report' }).click();
  await expect(lin.getByText('The report was sent. Thank you.')).toBeVisible();

  await ada.getByRole('main').getByRole('button', { name: 'Menu' }).click();
  await sheet.getByRole('button', { name: 'People and this server' }).click();
  await sheet.getByRole('button', { name: '2 reports' }).click();
  await sheet
    .getByRole('button', { name: /^Look at the report/ })
    .first()
    .click();
  await expect(sheet).toContainText('Nobody else sees this');
  await expect(sheet.getByRole('button', { name: 'Delete the message' })).toHaveCount(0);
  expect(found).toEqual([]);
});
