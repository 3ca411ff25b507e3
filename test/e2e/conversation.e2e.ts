/** Actions on messages, and the scroll position of the log. */
import type { Page } from '@playwright/test';
import { WINDOW_MAX_LINES } from '../../web/records/pageLimits.ts';
import { connectClient, newId, signUp as signUpByApi, text } from '../support/api.ts';
import { recordsOf } from '../support/indexedDb.ts';
import {
  canStartOffline,
  composer,
  expect,
  expectInOrder,
  expectState,
  longPress,
  message,
  rightClick,
  say,
  signUp,
  test,
} from './fixtures.ts';
import { crowdSays } from './support/crowd.ts';
import { expectReadUpTo, goToNewest } from './support/scroll.ts';

test('a long press opens the menu, by which a message is edited and then deleted', async ({
  server,
  phone,
}) => {
  const page = await phone(server.url);
  await signUp(page, 'Ada');
  await say(page, 'Two seals');
  await expectState(page, 'Two seals', 'Sent');

  await longPress(page, 'Two seals');
  await page.getByRole('menuitem', { name: 'Edit' }).tap();
  await expect(composer(page)).toHaveValue('Two seals');
  await composer(page).fill('Three seals');
  await page.getByRole('button', { name: 'Send', exact: true }).tap();
  await expectState(page, 'Three seals', 'Sent');
  await expect(message(page, 'Three seals')).toContainText('edited');

  await longPress(page, 'Three seals');
  await page.getByRole('menuitem', { name: 'Delete' }).tap();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).tap();
  await expect(page.getByRole('log').getByText('Message deleted')).toBeVisible();
  await expect(message(page, 'Three seals')).toHaveCount(0);
});

test('O1 O2 a reaction shows at once and is kept offline; what was meant last arrives, once; it goes with its message', async ({
  server,
  network,
  phone,
}) => {
  using bob = await connectClient(server.url, await signUpByApi(server.url, 'Bob'));
  const asked = text('Who takes the boat?');
  await bob.append(asked);
  const page = await phone(network.url);
  await signUp(page, 'Ada');
  const chip = (name: string) => page.getByRole('log').getByRole('button', { name, exact: true });
  await longPress(page, 'Who takes the boat?');
  await page.getByRole('menuitemcheckbox', { name: 'React with 👍' }).tap();
  await expect(chip('👍, 1 reaction')).toHaveAttribute('aria-pressed', 'true');

  await canStartOffline(page);
  network.refuse();
  await expect(page.getByText('Offline').first()).toBeAttached();
  await chip('👍, 1 reaction').tap(); // taken back
  await longPress(page, 'Who takes the boat?');
  await page.getByRole('menuitem', { name: 'React with an emoji' }).tap();
  const field = page.getByRole('textbox', { name: 'Emoji' });
  await field.fill('ok');
  await page.getByRole('button', { name: 'React', exact: true }).tap();
  await expect(page.getByText('That is not one emoji.')).toBeVisible();
  await field.fill('\u2693'); // an anchor, without U+FE0F
  await page.getByRole('button', { name: 'React', exact: true }).tap();
  await expect(chip('\u2693, 1 reaction, Queued')).toBeVisible();
  await page.reload();
  await expect(chip('\u2693, 1 reaction, Queued')).toBeVisible();
  await expect(page.locator('.reactions button')).toHaveCount(1);

  network.pass();
  await expect(chip('\u2693, 1 reaction')).toBeVisible();
  const reactions = bob.heard('lobby').filter(({ kind }) => kind === 'reaction');
  expect(reactions).toMatchObject([
    { emoji: '👍', on: true },
    { emoji: '👍', on: false },
    { emoji: '\u2693', on: true },
  ]);
  await bob.append({ room: 'lobby', clientOffset: newId(), kind: 'delete', target: asked.clientOffset });
  await expect(page.locator('.reactions')).toHaveCount(0);
});

test('who is typing is told to the others, and shows below the log without moving it', async ({
  server,
  phone,
}) => {
  const page = await phone(server.url);
  await signUp(page, 'Ada');
  using mika = await connectClient(server.url, await signUpByApi(server.url, 'Mika'));
  const line = page.locator('p.typing');
  const signs = () => mika.frames.flatMap(({ event, payload }) => (event === 'typing' ? [payload] : []));
  await mika.append(text('Two seals'));
  const boxes = () =>
    Promise.all([message(page, 'Two seals'), composer(page)].map((one) => one.boundingBox()));
  await expect(message(page, 'Two seals')).toBeVisible();
  await expect(line).toBeAttached();
  const before = await boxes();
  await expect(async () => {
    mika.socket.emit('typing', { room: 'lobby', typing: true }); // one right after the message is ignored
    await expect(line).toHaveText(/^\W?Mika\W? is typing…$/, { timeout: 1_000 });
  }).toPass();
  await expect(line).toBeInViewport({ ratio: 1 });
  expect(await boxes()).toEqual(before);
  await mika.append(text('Three seals'));
  await expect(message(page, 'Three seals')).toBeVisible();
  await expect(line).toHaveText('');
  await expect(async () => {
    await composer(page).pressSequentially('Where '); // on a busy machine the sign, which is volatile, may be dropped
    await expect.poll(signs, { timeout: 1_000 }).not.toEqual([]);
  }).toPass();
  expect(signs()[0]).toMatchObject({ room: 'lobby', typing: true });
});

test('a name is completed after an @ by touch and by keyboard; a mention is marked, counted in the list, and one tap away', async ({
  server,
  phone,
}) => {
  using lin = await connectClient(server.url, await signUpByApi(server.url, 'Lin Yu'));
  const page = await phone(server.url);
  await signUp(page, 'Ada');
  await composer(page).pressSequentially('Hello @l');
  await page.getByRole('option', { name: 'Lin Yu' }).tap();
  await expect(composer(page)).toHaveValue('Hello @Lin Yu ');
  await composer(page).pressSequentially('and @yu');
  await expect(composer(page)).toHaveAttribute('aria-activedescendant', /./);
  await composer(page).press('Enter');
  await expect(composer(page)).toHaveValue('Hello @Lin Yu and @Lin Yu ');
  await page.getByRole('button', { name: 'Send' }).tap();
  await expect(page.locator('.mention')).toHaveText(['@Lin Yu', '@Lin Yu']);
  const { id: user, name } = lin.session.user;
  await expect.poll(() => lin.heard('lobby').at(-1)).toMatchObject({ mentions: [{ user, name }] });

  await page.getByRole('link', { name: 'Back to the rooms' }).tap();
  const ada = lin.heard('lobby').at(-1)!.author;
  await lin.append({ ...text('Ask @Ada'), mentions: [{ user: ada, name: 'Ada' }] }, text('or not'));
  const room = page.getByRole('link', { name: 'Lobby' });
  await expect(room.getByText('1 of them mention you')).toBeAttached();
  await room.tap();
  await expect(page.locator('.mention.me')).toHaveText('@Ada');
  await expect(page.getByRole('button', { name: /mentions you/ })).toHaveCount(0); // read
});

test('an @ that was typed before there was a connection is completed when there is one', async ({
  server,
  network,
  phone,
}) => {
  await signUpByApi(server.url, 'Lin Yu');
  const page = await phone(network.url);
  await signUp(page, 'Ada');
  const option = page.getByRole('option', { name: 'Lin Yu' });
  network.refuse();
  await expect(page.getByRole('main').getByText('Offline. What you write is sent later.')).toBeVisible();
  await composer(page).pressSequentially('Hello @l');
  await expect(option).toHaveCount(0); // this device does not know her
  network.pass();
  await option.tap();
  await expect(composer(page)).toHaveValue('Hello @Lin Yu ');
});

test('a room is muted, marked as unread, and hidden until something new comes', async ({ server, phone }) => {
  using lin = await connectClient(server.url, await signUpByApi(server.url, 'Lin'));
  const page = await phone(server.url);
  await signUp(page, 'Ada');
  const choose = async (name: string) => {
    await expect(composer(page)).toBeVisible(); // the room is open, so the button is its own
    await page.getByRole('main').getByRole('button', { name: 'Menu' }).tap();
    await page.getByRole('button', { name, exact: true }).tap();
    await expect(page.getByRole('dialog')).toHaveCount(0);
  };
  const room = page.getByRole('link', { name: 'Lobby' });
  await choose('Mark as unread');
  await expect(room.locator('.tag.unread')).toHaveText('Unread');
  await room.tap();
  await choose('Mute');
  await choose('Hide from the list until something new comes');
  await expect(room).toBeHidden();
  await lin.append(text('not heard'));
  await page.getByText('Hidden conversations').tap();
  await expect(room.locator('.tag')).toHaveText(['Muted', /1/]);
  await room.tap();
  await choose('Do not mute any more');
  await page.getByRole('link', { name: 'Back to the rooms' }).tap();
  await expect(page.getByText('Hidden conversations')).toHaveCount(0);
  await expect(room).toBeVisible();
});

test('who is here shows in the header and in a sheet, and one can hide it', async ({ server, phone }) => {
  const page = await phone(server.url);
  await signUp(page, 'Ada');
  using mika = await connectClient(server.url, await signUpByApi(server.url, 'Mika'));
  const timer = setInterval(() => mika.socket.emit('here', { here: true }), 1_000);
  using _ = { [Symbol.dispose]: () => clearInterval(timer) };
  const menu = page.getByRole('main').getByRole('button', { name: 'Menu' });
  const sheet = page.getByRole('dialog');
  const isHere = async () => {
    const answer = await mika.request('presence', { room: 'lobby' });
    return Object.values(answer.ok ? answer.people : {}).filter(({ here }) => here).length;
  };
  await expect(page.getByText('2 people, 2 here')).toBeVisible();
  await expect.poll(isHere).toBe(2);
  await menu.tap();
  await sheet.getByRole('button', { name: 'Who is here' }).tap();
  await expect(sheet.getByRole('listitem')).toHaveText([/^ADAdayou · online$/, /^MIMikaonline/]);
  await page.keyboard.press('Escape');
  await menu.tap();
  await sheet.getByRole('checkbox', { name: 'Show when I am here' }).uncheck();
  await expect(page.getByText('2 people', { exact: true })).toBeVisible();
  await expect.poll(isHere).toBe(1);
});

test('somebody in the list of people is written to alone, and blocked in their profile', async ({
  server,
  phone,
}) => {
  const page = await phone(server.url);
  await signUp(page, 'Ada');
  using mika = await connectClient(server.url, await signUpByApi(server.url, 'Mika'));
  const menu = page.getByRole('main').getByRole('button', { name: 'Menu' });
  const sheet = page.getByRole('dialog');
  const openProfile = async () => {
    await menu.tap();
    await sheet.getByRole('button', { name: 'Who is here' }).tap();
    await sheet.getByRole('button', { name: /^Mika/ }).tap();
    await expect(sheet.getByText('Here since')).toBeVisible();
  };
  await openProfile();
  await sheet.getByRole('button', { name: 'Write to them' }).tap();
  await expect(sheet).toHaveCount(0); // its title is the name, too
  await expect(page.getByRole('heading', { name: 'Mika' })).toBeVisible();
  await say(page, 'A word in private');
  await expectState(page, 'A word in private', 'Sent');
  const room = new URL(page.url()).hash.slice('#/room/'.length);
  await mika.hears('A word in private', room);
  await mika.append(text('Yes?', room), text('A word to all'));
  await expect(message(page, 'Yes?')).toBeVisible();
  await openProfile();
  await sheet.getByRole('button', { name: 'Block' }).tap();
  await expect(sheet.getByRole('button', { name: 'Show their messages again' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByText('You have blocked Mika')).toBeVisible();
  await expect(message(page, 'Yes?')).toHaveCount(0);
  await page.goto(`${server.url}/#/room/lobby`);
  await expect(page.getByRole('log').getByText('From somebody you have blocked')).toBeVisible();
});

test('an owner deletes a message of another, also where the page was opened without a connection, and makes them a moderator, and a quiet line says so; the last owner keeps the role', async ({
  server,
  network,
  phone,
}) => {
  const page = await phone(network.url);
  await signUp(page, 'Ada');
  using mika = await connectClient(server.url, await signUpByApi(server.url, 'Mika'));
  const room = newId();
  await mika.makeRoom({ id: room, kind: 'public', name: 'Deck' });
  await page.goto(`${network.url}/#/room/${room}`);
  await page.getByRole('button', { name: /Join/ }).tap();
  await expect(page.getByText('2 people')).toBeVisible();
  const people = await mika.request('presence', { room });
  const ada = Object.keys(people.ok ? people.people : {}).find((id) => id !== mika.session.user.id)!;
  await mika.request('room:role', { room, clientOffset: newId(), user: ada, role: 'owner' });
  await expect(page.getByText(/Mika\W? made you an owner/)).toBeVisible();
  await mika.append({ ...text('Rude words'), room });
  await longPress(page, 'Rude words');
  await expect(page.getByRole('menuitem', { name: 'Delete' })).toBeVisible();
  await canStartOffline(page);
  network.refuse();
  await page.reload();
  await longPress(page, 'Rude words');
  await page.getByRole('menuitem', { name: 'Delete' }).tap();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).tap();
  network.pass();
  await expect(page.getByText('Deleted by a moderator')).toBeVisible();
  await expect(page.getByRole('log').getByText('Rude words')).toHaveCount(0);
  await page.getByRole('main').getByRole('button', { name: 'Menu' }).tap();
  const sheet = page.getByRole('dialog');
  await sheet.getByRole('button', { name: 'Who is here' }).tap();
  await sheet.getByRole('button', { name: /do about \W?Mika/ }).tap();
  await sheet.getByRole('button', { name: 'Make a moderator' }).tap();
  await expect(sheet.getByText(/Moderator/).first()).toBeVisible();
  await sheet.getByRole('button', { name: /do about \W?Ada/ }).tap();
  await sheet.getByRole('button', { name: 'Give up this role' }).tap();
  await expect(sheet.getByText('A room always has an owner.')).toBeVisible();
});

test('two ticks when all others have read, and the details say who has, also offline', async ({
  server,
  network,
  phone,
}) => {
  const page = await phone(network.url);
  await signUp(page, 'Ada');
  using mika = await connectClient(server.url, await signUpByApi(server.url, 'Mika'));
  using lin = await connectClient(server.url, await signUpByApi(server.url, '林'));
  await say(page, 'Two seals');
  const { serverOffset: upTo } = await mika.hears('Two seals');
  const details = page.getByRole('dialog', { name: 'Details' });
  const openDetails = () => message(page, 'Two seals').getByRole('button', { name: 'Sent' }).tap();
  await mika.request('read', { room: 'lobby', upTo });
  await openDetails();
  await expect(details).toContainText(
    /Read by: \W?Mika\W?\.Not read yet, and perhaps not on their device: \W?林\W?\./,
  );
  await page.keyboard.press('Escape');
  await expectState(page, 'Two seals', 'Sent');
  await expect(message(page, 'Two seals').getByText('Read by all')).toHaveCount(0);
  await lin.request('read', { room: 'lobby', upTo });
  await expectState(page, 'Two seals', 'Read by all');
  await canStartOffline(page);
  network.refuse();
  await page.reload();
  await expectState(page, 'Two seals', 'Read by all');
  await openDetails();
  await expect(details).toContainText(/Read by: \W?Mika\W?, \W?林\W?\./);
});

test('the details say on whose device a message is, and on whose perhaps not', async ({ server, phone }) => {
  const page = await phone(server.url);
  await signUp(page, 'Ada');
  using _ = await connectClient(server.url, await signUpByApi(server.url, 'Mika')); // gets it, and says of nothing that it is stored
  const lin = await phone(server.url);
  await signUp(lin, '林');
  await lin.getByRole('link', { name: 'Back to the rooms' }).tap();
  await expect(page.getByText('3 people')).toBeVisible();
  await say(page, 'Two seals');
  await expectState(page, 'Two seals', 'Sent');
  await message(page, 'Two seals').getByRole('button', { name: 'Sent' }).tap();
  const details = page.getByRole('dialog', { name: 'Details' });
  await expect(details).toContainText(
    /On their device, not read yet: \W?林\W?\.Not read yet, and perhaps not on their device: \W?Mika\W?\./,
    { timeout: 75_000 }, // a device says it at most once a minute, and has said it of the room before
  );
});

test('who hides what they have read is named so in the details, and nobody knows that all have read; they see it of nobody', async ({
  server,
  phone,
}) => {
  const page = await phone(server.url);
  await signUp(page, 'Ada');
  using mika = await connectClient(server.url, await signUpByApi(server.url, 'Mika'));
  await say(page, 'Two seals');
  const { serverOffset: upTo } = await mika.hears('Two seals');
  await mika.request('read', { room: 'lobby', upTo });
  await expectState(page, 'Two seals', 'Read by all');
  await mika.request('readers:show', { show: false });
  await expectState(page, 'Two seals', 'Sent');
  await message(page, 'Two seals').getByRole('button', { name: 'Sent' }).tap();
  const details = page.getByRole('dialog', { name: 'Details' });
  await expect(details).toContainText(/Do not show what they have read: \W?Mika\W?\./);
  await expect(details).not.toContainText('Not read yet');
  await page.keyboard.press('Escape');
  await mika.request('readers:show', { show: true });
  await expectState(page, 'Two seals', 'Read by all');

  await page.getByRole('button', { name: 'Menu' }).tap();
  const own = page.getByRole('checkbox', { name: 'Show what I have read' });
  await expect(own).toBeChecked();
  await own.uncheck();
  await expectState(page, 'Two seals', 'Sent');
  await expect
    .poll(async () => mika.request('readers', { room: 'lobby' }))
    .toMatchObject({
      hiding: [expect.any(String)],
    });
  await page.reload();
  await page.getByRole('button', { name: 'Menu' }).tap();
  await expect(own).not.toBeChecked();
});

test('O3 a tap on the status icon shows the delivery status as a sentence', async ({
  server,
  network,
  phone,
}) => {
  const page = await phone(network.url);
  await signUp(page, 'Ada');
  await say(page, 'Here');
  await expectState(page, 'Here', 'Sent');
  await message(page, 'Here').getByRole('button', { name: 'Sent' }).tap();
  await expect(page.getByRole('dialog', { name: 'Details' })).toContainText(
    /^DetailsThe server received it at \d\d:\d\d\.React with an emojiEdit/,
  );
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);

  network.refuse();
  await say(page, 'Not there');
  await message(page, 'Not there').getByRole('button', { name: 'Queued' }).tap();
  await expect(page.getByRole('dialog', { name: 'Details' })).toContainText('saved on this device');
  await page.keyboard.press('Escape');

  await page.clock.setFixedTime(Date.now() + 86_400_000); // on another day the date is included
  await message(page, 'Here').getByRole('button', { name: 'Sent' }).tap();
  await expect(page.getByRole('dialog', { name: 'Details' })).toContainText(
    /^DetailsThe server received it at \d\d:\d\d on \w+day,? \d+ \w+\.React with an emojiEdit/,
  );
  expect(server.logs()).not.toContain('Not there');
});

test('O4 an unfinished edit is still there after a look at another room', async ({ server, phone }) => {
  const page = await phone(server.url);
  await signUp(page, 'Ada');
  await say(page, 'Two seals');
  await expectState(page, 'Two seals', 'Sent');
  await longPress(page, 'Two seals');
  await page.getByRole('menuitem', { name: 'Edit' }).tap();
  await expect(composer(page)).toHaveValue('Two seals');
  await composer(page).fill('Three sea');
  await page.getByRole('link', { name: 'Back to the rooms' }).tap();
  await page.getByRole('link', { name: /lobby/i }).tap();
  await expect(page.getByText('Edit this message')).toBeVisible();
  await expect(composer(page)).toHaveValue('Three sea');
});

test('O4 an unfinished edit is still there after a reload, also offline', async ({ network, phone }) => {
  const page = await phone(network.url);
  await signUp(page, 'Ada');
  for (const body of ['Two seals', 'Later']) await say(page, body);
  await expectState(page, 'Later', 'Sent');
  await canStartOffline(page);
  await composer(page).fill('half a mess');
  await longPress(page, 'Two seals');
  await page.getByRole('menuitem', { name: 'Edit' }).tap();
  await expect(composer(page)).toHaveValue('Two seals');
  await composer(page).fill('Three sea');
  await expect.poll(() => recordsOf(page, { store: 'drafts', containing: 'Three sea' })).toHaveLength(1);
  network.refuse();
  await page.reload();
  await expect(page.getByText('Edit this message')).toBeVisible();
  await expect(composer(page)).toHaveValue('Three sea');

  await composer(page).fill('Three seals');
  await page.getByRole('button', { name: 'Send', exact: true }).tap();
  await expect(composer(page)).toHaveValue('half a mess'); // the draft of the room was kept, too
  network.pass();
  await expectState(page, 'Three seals', 'Sent');
  await expectInOrder(page, ['Three seals', 'Later']);
  await page.reload();
  await expect(message(page, 'Three seals')).toBeVisible();
  await expect(composer(page)).toHaveValue('half a mess');
  await expect(page.getByText('Edit this message')).toHaveCount(0);
});

test('O4 a message is deleted by another device while it is edited: the user is told, and the typed text becomes a draft', async ({
  server,
  phone,
}) => {
  const page = await phone(server.url);
  await signUp(page, 'Ada');
  await say(page, 'Two seals');
  await expectState(page, 'Two seals', 'Sent');
  const other = await phone(server.url);
  await other.context().addCookies(await page.context().cookies());
  await other.reload();
  await other.getByRole('link', { name: /lobby/i }).tap();
  await longPress(page, 'Two seals');
  await page.getByRole('menuitem', { name: 'Edit' }).tap();
  await composer(page).fill('Three seals');

  await longPress(other, 'Two seals');
  await other.getByRole('menuitem', { name: 'Delete' }).tap();
  await other.getByRole('dialog').getByRole('button', { name: 'Delete' }).tap();
  await expect(page.getByRole('alert').filter({ hasText: 'has been deleted' })).toBeVisible();
  await expect(page.getByText('Edit this message')).toHaveCount(0);
  await expect(composer(page)).toHaveValue('Three seals');
  await page.reload();
  await expect(composer(page)).toHaveValue('Three seals');
  await page.getByRole('button', { name: 'Send', exact: true }).tap();
  await expectState(page, 'Three seals', 'Sent');
  await expect(page.getByRole('log').getByText('Message deleted')).toBeVisible();
});

test('O4 a room that was left shows its unsent messages and can be joined again', async ({
  server,
  phone,
}) => {
  const page = await phone(server.url);
  await signUp(page, 'Ada');
  const refused = 'a'.repeat(4_001);
  await say(page, refused);
  await expectState(page, refused, 'Not sent');
  await page.getByRole('button', { name: 'Menu' }).tap();
  await page.getByRole('button', { name: 'Leave this room' }).tap();
  await page.getByRole('dialog').getByRole('button', { name: 'Leave', exact: true }).tap();
  await page.getByRole('link', { name: 'Lobby You are no longer in this room.' }).tap();
  await expect(page.getByRole('main').getByText('You are no longer in this room.')).toBeVisible();
  await expect(composer(page)).toHaveCount(0);
  await expectState(page, refused, 'Not sent');

  await page.getByRole('button', { name: 'Join again' }).tap();
  await say(page, 'back again');
  await expectState(page, 'back again', 'Sent');
  await expectState(page, refused, 'Not sent');
});

test('O4 on a full device a line above the composer says so, the text is kept, and it is sent once there is space', async ({
  server,
  phone,
}) => {
  const page = await phone(server.url);
  await canBeFull(page);
  await signUp(page, 'Ada');
  await expect(page.getByRole('heading', { name: 'Lobby' })).toBeVisible();
  await page.evaluate(() => Object.assign(window, { full: true }));
  await composer(page).fill('Two seals');
  await page.getByRole('button', { name: 'Send', exact: true }).tap();
  const line = page.getByRole('alert').filter({ hasText: 'This device is out of storage.' });
  await expect(line).toHaveCount(2); // the line about the device, and the reason at the composer
  await expect(composer(page)).toHaveValue('Two seals');
  await page.evaluate(() => Reflect.deleteProperty(window, 'full'));
  await page.getByRole('button', { name: 'Try again' }).tap();
  await expect(page.getByRole('button', { name: 'Try again' })).toHaveCount(0);
  await page.getByRole('button', { name: 'Send', exact: true }).tap();
  await expectState(page, 'Two seals', 'Sent');
});

test('O4 on a device that is full from the start the text stays in the field, and is sent once there is space', async ({
  server,
  phone,
}) => {
  const page = await phone(server.url);
  await canBeFull(page);
  await page.evaluate(() => Object.assign(window, { full: true }));
  await signUp(page, 'Ada');
  await composer(page).fill('Two seals');
  const field = await composer(page).elementHandle();
  await expect(page.getByText('This device is out of storage.').first()).toBeVisible();
  await page.getByRole('button', { name: 'Send', exact: true }).tap();
  await expect(page.getByRole('alert').filter({ hasText: 'Your text is still here.' })).toBeVisible();
  await expect(composer(page)).toHaveValue('Two seals');
  expect(await field!.evaluate((one) => one.isConnected)).toBe(true); // a new field would close the on-screen keyboard
  await page.evaluate(() => Reflect.deleteProperty(window, 'full'));
  await page.getByRole('button', { name: 'Try again' }).tap();
  await page.getByRole('button', { name: 'Send', exact: true }).tap();
  await expectState(page, 'Two seals', 'Sent');
});

test.describe('with a keyboard and a mouse', () => {
  test.use({
    viewport: { width: 1280, height: 800 },
    isMobile: false,
    hasTouch: false,
    deviceScaleFactor: 1,
  });

  test('a right click opens the menu; on a link it opens the browser’s', async ({ server, phone }) => {
    const page = await phone(server.url);
    await signUp(page, 'Ada');
    await say(page, 'Two seals');
    await say(page, 'https://example.org/seals');
    await rightClick(page, 'Two seals');
    const items = page.locator('[role=menu] > [role=menuitem]');
    await expect(items).toHaveText(['Reply', 'Edit', 'Copy', 'Copy link', 'Details', 'Delete']);
    await page.keyboard.press('ArrowRight');
    await expect(page.getByRole('menuitemcheckbox', { name: 'React with 👍' })).toBeFocused();
    await page.keyboard.press('ArrowLeft');
    await expect(page.getByRole('menuitem', { name: 'React with an emoji' })).toBeFocused();
    await page.keyboard.press('ArrowDown');
    await expect(items.getByText('Reply')).toBeFocused();
    await page.keyboard.press('ArrowDown');
    await items.getByText('Details').hover(); // one highlighted item: the focus follows the mouse
    await expect(items.getByText('Details')).toBeFocused();
    await page.keyboard.press('ArrowDown'); // and the highlight follows the keys, although the mouse is still on Details
    const plain = 'rgba(0, 0, 0, 0)';
    for (const name of ['Reply', 'Edit', 'Copy link', 'Details'])
      await expect(items.getByText(name)).toHaveCSS('background-color', plain);
    await expect(items.getByText('Delete')).not.toHaveCSS('background-color', plain);
    await page.keyboard.press('Escape');
    await expect(page.getByRole('menu')).toHaveCount(0);
    await page
      .getByRole('link', { name: 'https://example.org/seals', exact: true })
      .click({ button: 'right' });
    await expect(page.getByRole('menu')).toHaveCount(0);
  });

  test('a message can be edited and deleted by keyboard alone', async ({ server, phone }) => {
    const page = await phone(server.url);
    const { keyboard } = page;
    await signUp(page, 'Ada');
    await say(page, 'First');
    await say(page, 'Second');
    await expectState(page, 'Second', 'Sent');

    await composer(page).focus();
    await keyboard.press('ArrowUp'); // in the empty field: edits the last own text
    await expect(composer(page)).toHaveValue('Second');
    await composer(page).fill('Second, changed');
    await keyboard.press('Enter');
    await expectState(page, 'Second, changed', 'Sent');

    await keyboard.press('Shift+Tab');
    await keyboard.press('ArrowUp'); // focuses the last message in view
    await keyboard.press('ArrowUp');
    await expect(message(page, 'First')).toBeFocused();
    await keyboard.press('Shift+F10');
    await expect(page.getByRole('menuitem', { name: 'Reply' })).toBeFocused();
    await keyboard.press('Escape');
    await expect(message(page, 'First')).toBeFocused();
    await keyboard.press('Enter');
    await keyboard.press('ArrowUp'); // from the first item to the last
    await expect(page.getByRole('menuitem', { name: 'Delete' })).toBeFocused();
    await keyboard.press('Enter');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).press('Enter');
    await expect(message(page, 'First')).toHaveCount(0);
  });
});

test('a sheet closes by its button and by Back, which stays in the room; a finger sees no ring around headings', async ({
  server,
  phone,
}) => {
  using mika = await connectClient(server.url, await signUpByApi(server.url, 'Mika'));
  const page = await phone(server.url);
  await signUp(page, 'Ada');
  await mika.append(text('Bring the second radio please'));
  const bubble = message(page, 'Bring the second radio please');
  await expect(bubble).toBeVisible();
  expect((await bubble.locator('time').boundingBox())!.y).toBeLessThan(
    (await bubble.locator('.body').boundingBox())!.y + 20, // the time is beside the text
  );

  await bubble.getByRole('button', { name: 'More' }).tap();
  const heading = page.getByRole('heading', { name: 'Details' });
  await expect(heading).toBeFocused();
  await expect(heading).toHaveCSS('outline-style', 'none');
  await page.getByRole('button', { name: 'Close' }).tap();
  await expect(page.getByRole('dialog')).toHaveCount(0);

  await page.getByRole('button', { name: 'Menu' }).tap();
  await expect(page.getByRole('dialog')).toBeVisible();
  await page.goBack();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(composer(page)).toBeVisible();
  expect(new URL(page.url()).hash).toBe('#/room/lobby');
  await expect(page.getByRole('button', { name: 'Menu' })).toBeFocused();
  await page.goBack();
  const rooms = page.getByRole('heading', { name: 'Rooms' });
  await expect(rooms).toBeFocused();
  await expect(rooms).toHaveCSS('outline-style', 'none');
});

test('on a high screen with short lines the log rests while nobody scrolls', async ({ server, browser }) => {
  await crowdSays(
    server.url,
    Array.from({ length: 600 }, (_, n) => `no ${n}`),
  );
  const context = await browser.newContext({ baseURL: server.url, viewport: { width: 800, height: 2_600 } });
  const page = await context.newPage();
  await page.goto('/');
  await signUp(page, 'Ada');
  await expect(message(page, 'no 599')).toBeInViewport();
  await page.mouse.move(400, 400);
  await expect(async () => {
    await page.mouse.wheel(0, -1_500);
    await expect(message(page, 'no 300')).toBeInViewport({ timeout: 200 });
  }).toPass();
  const changesInASecond = () =>
    page.evaluate(async () => {
      let count = 0;
      const observer = new MutationObserver((records) => {
        count += records.length;
      });
      observer.observe(document.querySelector('.rows')!, { childList: true });
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      return count;
    });
  await expect.poll(changesInASecond).toBe(0);
  await context.close();
});

test('the scroll position is kept to the pixel while older messages load; the pill counts new messages below', async ({
  server,
  phone,
}) => {
  using bob = await connectClient(server.url, await signUpByApi(server.url, 'Bob'));
  const all = Array.from({ length: 300 }, (_, n) => `number ${n}${n % 3 === 0 ? '\nand a second line' : ''}`);
  for (let n = 0; n < all.length; n += 50)
    expect(await bob.append(...all.slice(n, n + 50).map((body) => text(body)))).toMatchObject({ ok: true });
  const page = await phone(server.url);
  await signUp(page, 'Ada');
  await expect(message(page, 'number 299')).toBeInViewport(); // the log follows new messages
  await bob.append(text('one more'));
  await expect(message(page, 'one more')).toBeInViewport();
  await expectReadUpTo(page, 2 + 300 + 1); // two entries are joins

  const moved = await scrollUpAndMeasure(page, 40);
  expect(Math.max(...moved)).toBeLessThanOrEqual(1);
  expect(await page.locator('[data-key]').count()).toBeLessThanOrEqual(WINDOW_MAX_LINES);

  await bob.append(text('later 1'), text('later 2'));
  const pill = page.getByRole('button', { name: '2 new messages' });
  await expect(pill).toBeVisible();
  const many = Array.from({ length: 98 }, (_, n) => text(`later ${n + 3}`));
  for (const part of [many.slice(0, 49), many.slice(49)]) await bob.append(...part);
  const more = page.getByRole('button', { name: 'more than 99 new messages' });
  await expect(more).toContainText('99+ new messages');
  await more.tap();
  await expect(message(page, 'later 100')).toBeInViewport();
  await expect(more).toHaveCount(0);
});

test('a jump to the top of the log shows the oldest loaded lines at once, and older ones load above', async ({
  server,
  phone,
}) => {
  const page = await phone(server.url);
  await signUp(page, 'Ada');
  const writer = await connectClient(server.url, await signUpByApi(server.url, 'Bo'));
  for (let i = 0; i < 3; i++)
    await writer.append(...Array.from({ length: 100 }, (_, n) => text(`line ${100 * i + n}`)));
  await goToNewest(page, 'line 299');
  const log = page.locator('.log');
  await expect.poll(() => log.evaluate((box) => box.scrollTop)).toBeGreaterThan(50_000); // the spacer for older lines
  const inView = await log.evaluate(async (box) => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    box.scrollTop = 0;
    for (let n = 0; n < 3; n++) await frame();
    const { top, bottom } = box.getBoundingClientRect();
    const places = [...box.querySelectorAll('[data-key]')].map((row) => row.getBoundingClientRect());
    return places.filter((place) => place.bottom > top && place.top < bottom).length;
  });
  expect(inView).toBeGreaterThan(3);
  const first = message(page, 'line 0');
  await expect(async () => {
    await log.evaluate((box) => box.scrollTo(0, 0)); // some 30 older lines load above each time
    await expect(first).toBeInViewport({ timeout: 150 });
  }).toPass({ intervals: [0], timeout: 15_000 });
});

test('missed messages are below a separator, and count as read once they were in view', async ({
  server,
  phone,
}) => {
  using bob = await connectClient(server.url, await signUpByApi(server.url, 'Bob'));
  const page = await phone(server.url);
  await signUp(page, 'Ada');
  await bob.append(text('seen'));
  await expect(message(page, 'seen')).toBeVisible();
  await page.getByRole('link', { name: 'Back to the rooms' }).tap();
  await bob.append(text('news 1'), text('news 2'));
  await expect(page.getByText('Bob: news 2')).toBeVisible();
  await page.getByRole('link', { name: /lobby/i }).tap();
  await expect(page.getByText(/^New since/)).toBeVisible();
  await expect(async () => {
    await page.getByRole('link', { name: 'Back to the rooms' }).tap();
    await page.getByRole('link', { name: /lobby/i }).tap();
    await expect(message(page, 'news 2')).toBeVisible();
    await expect(page.getByText(/^New since/)).toHaveCount(0, { timeout: 2_000 });
  }).toPass();
});

test('a text is never rendered as HTML; it may be formatted, and its marks stay', async ({
  server,
  phone,
}) => {
  const page = await phone(server.url);
  await signUp(page, 'Ada');
  const body = '<img src=x onerror="document.title=1"><b>bold</b> javascript:alert(1)';
  await say(page, body);
  await expectInOrder(page, [body]);
  expect(await page.locator('.body *').count()).toBe(0);

  const formatted = '*Tide* turns at _14:20_\n> `north pier`';
  await say(page, formatted);
  const shown = page.locator('.body').last();
  await expect(shown.locator('strong, em, q code')).toHaveText(['*Tide*', '_14:20_', '`north pier`']);
  expect(await shown.textContent()).toBe(formatted); // so what is copied is what was typed
});

/** Holds a finger on the message until the menu opens. */
/** Scrolls up in steps and returns, for each step, by how many pixels the top message moved by itself. */
function scrollUpAndMeasure(page: Page, steps: number): Promise<number[]> {
  return page.locator('.log').evaluate(async (log, count) => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    const moved: number[] = [];
    for (let step = 0; step < count; step++) {
      const top = log.getBoundingClientRect().top;
      const before = log.scrollTop;
      log.scrollTop -= 400;
      const went = before - log.scrollTop;
      if (went === 0) break;
      const looked = [...log.querySelectorAll('[data-key]')].find(
        (row) => row.getBoundingClientRect().bottom > top,
      )!;
      const at = looked.getBoundingClientRect().top;
      for (let i = 0; i < 6; i++) await frame(); // older messages load meanwhile
      if (looked.isConnected) moved.push(Math.abs(looked.getBoundingClientRect().top - at));
    }
    return moved;
  }, steps);
}

/** While `window.full` is true, every write to a user's database fails. */
async function canBeFull(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const { add, put } = IDBObjectStore.prototype;
    const full = (write: typeof put) =>
      function (this: IDBObjectStore, ...args: Parameters<typeof put>) {
        if ('full' in window && this.transaction.db.name !== 'holdfast')
          throw new DOMException('no room', 'QuotaExceededError');
        return write.apply(this, args);
      };
    Object.assign(IDBObjectStore.prototype, { add: full(add), put: full(put) });
  });
  await page.reload();
}
