/** What owners and moderators change of a room, as its members see it. */
import { connectClient, newId, signUp as signUpByApi, text } from '../support/api.ts';
import {
  canStartOffline,
  composer,
  expect,
  expectState,
  longPress,
  message,
  say,
  signUp,
  test,
} from './fixtures.ts';
import { goToNewest } from './support/scroll.ts';

test('an owner renames a room and describes it; a member who was offline sees both, also after a start without a network', async ({
  server,
  phone,
  network,
}) => {
  const page = await phone(network.url);
  await signUp(page, 'Ada');
  using mika = await connectClient(server.url, await signUpByApi(server.url, 'Mika'));
  const room = newId();
  await mika.makeRoom({ id: room, kind: 'public', name: 'Ward 5' });
  await page.goto(`${network.url}/#/room/${room}`);
  await page.getByRole('button', { name: /Join/ }).tap();
  await expect(page.getByText('2 people')).toBeVisible();
  const menu = page.getByRole('main').getByRole('button', { name: 'Menu' });
  const sheet = page.getByRole('dialog');
  await menu.tap();
  await expect(sheet.getByRole('button', { name: 'Who is here' })).toBeVisible();
  await expect(sheet.getByRole('button', { name: 'Edit room' })).toHaveCount(0);
  await page.keyboard.press('Escape');

  network.stall();
  await mika.request('room:about', {
    room,
    clientOffset: newId(),
    description: 'Where we hand over at eight',
  });
  await mika.request('room:about', { room, clientOffset: newId(), name: 'Ward 6' });
  network.pass();
  await expect(page.getByRole('heading', { name: 'Ward 6' })).toBeVisible();
  await expect(page.getByText(/Mika\W? renamed the room to \W?Ward 6/)).toBeVisible();
  await canStartOffline(page);
  network.refuse();
  await page.reload();
  await expect(page.getByRole('heading', { name: 'Ward 6' })).toBeVisible();
  await menu.tap();
  await expect(sheet.getByText('Where we hand over at eight')).toBeVisible();
  await page.keyboard.press('Escape');
  network.pass();

  const people = await mika.request('presence', { room });
  const ada = Object.keys(people.ok ? people.people : {}).find((id) => id !== mika.session.user.id)!;
  await mika.request('room:role', { room, clientOffset: newId(), user: ada, role: 'moderator' });
  await expect(page.getByText(/Mika\W? made you a moderator/)).toBeVisible();
  await menu.tap();
  await sheet.getByRole('button', { name: 'Edit room' }).tap();
  await sheet.getByLabel('Name of the room').fill(' ');
  await sheet.getByRole('button', { name: 'Save' }).tap();
  await expect(sheet.getByText('Enter a name first.')).toBeVisible();
  await sheet.getByLabel('Name of the room').fill('Ward 7');
  await sheet.getByLabel('What it is about').fill('x'.repeat(301));
  await sheet.getByRole('button', { name: 'Save' }).tap();
  await expect(sheet.getByText('A description can have at most 300 characters.')).toBeVisible();
  await sheet.getByLabel('What it is about').fill('');
  await sheet.getByRole('button', { name: 'Save' }).tap();
  await expect(sheet).toBeHidden();
  await expect(page.getByText(/You renamed the room to \W?Ward 7/)).toBeVisible();
  await expect(page.getByText('You removed the description')).toBeVisible();
  await expect(page.getByRole('heading', { name: 'Ward 7' })).toBeVisible();
});

test('O4 in a room for announcements a member has a sentence in place of the composer, reacts, and keeps what was refused', async ({
  server,
  phone,
  network,
}) => {
  const page = await phone(network.url);
  await signUp(page, 'Ada');
  using mika = await connectClient(server.url, await signUpByApi(server.url, 'Mika'));
  const room = newId();
  await mika.makeRoom({ id: room, kind: 'public', name: 'News' });
  await page.goto(`${network.url}/#/room/${room}`);
  await page.getByRole('button', { name: /Join/ }).tap();
  await mika.append({ ...text('Read this'), room });
  await expect(message(page, 'Read this')).toBeVisible();
  network.stall();
  await say(page, 'But why?');
  await mika.request('room:about', { room, clientOffset: newId(), announcements: true });
  network.pass();
  await expectState(page, 'But why?', 'Not sent');
  await expect(page.getByText('Only owners and moderators write here.')).toBeVisible();
  await expect(page.getByText(/Mika\W? made this a room for announcements/)).toBeVisible();
  await expect(composer(page)).toHaveCount(0);
  await page.getByRole('log').getByRole('button', { name: 'Not sent' }).tap();
  const sheet = page.getByRole('dialog');
  await expect(sheet.getByText('Only owners and moderators write in this room.')).toBeVisible();
  await page.keyboard.press('Escape');
  await longPress(page, 'Read this');
  await expect(page.getByRole('menuitem', { name: 'Reply' })).toHaveCount(0);
  await page.getByRole('menuitemcheckbox', { name: 'React with 👍' }).tap();
  await expect(message(page, 'Read this').getByRole('button', { name: /👍/ })).toBeVisible();
  await canStartOffline(page);
  network.refuse();
  await page.reload();
  await expect(page.getByText('Only owners and moderators write here.')).toBeVisible();
  await expect(message(page, 'But why?')).toBeVisible();
  network.pass();
  await mika.request('room:about', { room, clientOffset: newId(), announcements: false });
  await expect(composer(page)).toBeVisible();
});

test('S3 a pinned message is in a bar above the log, leads to it where it lies in a hole, shows its edits, and goes with it', async ({
  server,
  phone,
  network,
}) => {
  const page = await phone(network.url);
  await signUp(page, 'Ada');
  using mika = await connectClient(server.url, await signUpByApi(server.url, 'Mika'));
  const room = newId();
  await mika.makeRoom({ id: room, kind: 'public', name: 'Ward 5' });
  const rules = { ...text('Wash your hands'), room };
  await mika.append(rules);
  const many = (from: number) =>
    Array.from({ length: 100 }, (_, n) => ({ ...text(`number ${from + n}`), room }));
  for (let from = 0; from < 600; from += 100) await mika.append(...many(from));
  const target = { author: mika.session.user.id, clientOffset: rules.clientOffset };
  await mika.request('room:pin', { room, clientOffset: newId(), target, on: true });
  await page.goto(`${network.url}/#/room/${room}`);
  await page.getByRole('button', { name: /Join/ }).tap();
  const bar = page.getByRole('button', { name: /Pinned message/ });
  await expect(bar).toHaveText(/Mika.*Wash your hands/);
  await expect(page.getByText(/Mika\W? pinned a message/)).toBeVisible();
  await mika.append({
    room,
    clientOffset: newId(),
    kind: 'edit',
    target: rules.clientOffset,
    body: 'Wash them well',
  });
  await expect(bar).toHaveText(/Wash them well/);
  await bar.tap();
  await expect(message(page, 'Wash them well')).toBeInViewport();
  await canStartOffline(page);
  network.refuse();
  await page.reload();
  await expect(bar).toHaveText(/Wash them well/);
  network.pass();
  await mika.append({ room, clientOffset: newId(), kind: 'delete', target: rules.clientOffset });
  await expect(bar).toHaveCount(0);
  await expect(page.getByText('Wash them well')).toHaveCount(0);

  const people = await mika.request('presence', { room });
  const ada = Object.keys(people.ok ? people.people : {}).find((id) => id !== mika.session.user.id)!;
  await mika.request('room:role', { room, clientOffset: newId(), user: ada, role: 'moderator' });
  await mika.append({ ...text('The keys are with Osei'), room });
  await goToNewest(page, 'The keys are with Osei');
  await expect(page.getByText(/Mika\W? made you a moderator/)).toBeVisible();
  await longPress(page, 'The keys are with Osei');
  await page.getByRole('menuitem', { name: 'Pin for everybody' }).tap();
  await expect(bar).toHaveText(/Mika.*The keys are with Osei/);
  await longPress(page, 'The keys are with Osei');
  await page.getByRole('menuitem', { name: 'Unpin' }).tap();
  await expect(bar).toHaveCount(0);
  await expect(page.getByText('You unpinned a message')).toBeVisible();
});

test('a public room is found by its description, in the sheet that adds rooms, and joined', async ({
  server,
  phone,
}) => {
  const page = await phone(server.url);
  await signUp(page, 'Ada');
  using mika = await connectClient(server.url, await signUpByApi(server.url, 'Mika'));
  const room = newId();
  await mika.makeRoom({ id: room, kind: 'public', name: 'Ward 5' });
  await mika.makeRoom({ id: newId(), kind: 'public', name: 'Kitchen' });
  await mika.request('room:about', { room, clientOffset: newId(), description: '交接班在八点' });
  await page.getByRole('link', { name: 'Back to the rooms' }).tap();
  await page.getByRole('button', { name: 'Add a room' }).tap();
  const sheet = page.getByRole('dialog');
  await expect(sheet.getByText('Kitchen')).toBeVisible();
  await sheet.getByLabel('Find a public room').fill('nothing like this');
  await expect(sheet.getByText('No public room has this')).toBeVisible();
  await sheet.getByLabel('Find a public room').fill('交接');
  await expect(sheet.getByText('交接班在八点')).toBeVisible();
  await expect(sheet.getByText('Kitchen')).toHaveCount(0);
  await sheet.getByLabel('Find a public room').fill('LOBB');
  await expect(sheet.getByRole('button', { name: 'Open Lobby' })).toBeVisible();
  await sheet.getByLabel('Find a public room').fill('ward');
  await sheet.getByRole('button', { name: 'Join Ward 5' }).tap();
  await expect(page.getByRole('heading', { name: 'Ward 5' })).toBeVisible();
});
