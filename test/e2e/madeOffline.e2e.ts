/** Rooms that are made without a network: kept over a killed browser, sent by the page or by the worker, refused with a reason. */
import type { Page } from '@playwright/test';
import { ROOMS_CREATED_PER_DAY } from '../../shared/limits.ts';
import { bodyOf, connectClient, newId, signUp as signUpByApi, text, wholeLog } from '../support/api.ts';
import { violations } from '../support/axe.ts';
import { WHOLE_CHROMIUM } from '../support/chromium.ts';
import { tagsOf, withoutSyncManager, workerOf } from '../support/worker.ts';
import {
  bodies,
  canStartOffline,
  expect,
  expectState,
  message,
  say,
  signUp,
  startInstallation,
  test,
} from './fixtures.ts';

// The headless shell has no Background Sync.
test.use(WHOLE_CHROMIUM);

test('O1 O2 O3 a room is made offline and the browser is killed: after a restart the room and what was written arrive once, in order, though the server is killed meanwhile', async ({
  server,
  network,
  storage,
}) => {
  test.setTimeout(120_000);
  const before = await startInstallation(storage.path, network.url);
  const page = await before.context.newPage();
  await page.goto('/');
  await signUp(page, 'Ada');
  await canStartOffline(page);
  network.refuse();
  await makeRoom(page, 'Night watch');
  for (const body of ['one', 'two']) await say(page, body);
  await expectState(page, 'two', 'Queued');
  await before.kill9();

  const after = await startInstallation(storage.path, network.url);
  const again = await after.context.newPage();
  await again.goto('/');
  await again.getByRole('link', { name: /Night watch/ }).click();
  await expectState(again, 'two', 'Queued');
  await say(again, 'three');
  await server.kill9();
  network.pass();
  await server.start();
  for (const body of ['one', 'two', 'three']) await expectState(again, body, 'Sent');
  expect(await bodies(again)).toEqual(['one', 'two', 'three']);

  const lin = await signUpByApi(server.url, 'Lin');
  using client = await connectClient(server.url, lin);
  const listed = await client.request('room:list', {});
  const room = listed.ok ? listed.rooms.find(({ name }) => name === 'Night watch') : undefined;
  expect(room).toMatchObject({ kind: 'public', members: 1, head: 4 });
  await client.request('room:join', { room: room!.id, clientOffset: newId() });
  const log = await wholeLog(server.url, lin, room!.id);
  expect(log.map(({ kind }) => kind)).toEqual(['create', 'text', 'text', 'text', 'join']);
  await client.append(text('welcome aboard', room!.id));
  await expect(message(again, 'welcome aboard')).toBeVisible();
  await after.close();
});

test('O2 the worker sends a room that was made offline, and what was written in it, while no page is open', async ({
  server,
  network,
  phone,
}) => {
  const page = await phone(network.url);
  await canStartOffline(page);
  await withoutSyncManager(page);
  await page.reload();
  await signUp(page, 'Ada');
  const worker = await workerOf(page.context(), network.url);
  network.refuse();
  await makeRoom(page, 'Night watch');
  for (const body of ['one', 'two']) await say(page, body);
  await expectState(page, 'two', 'Queued');
  await page.close();
  network.pass();
  await worker.sync();

  const lin = await signUpByApi(server.url, 'Lin');
  using client = await connectClient(server.url, lin);
  const found = async () => {
    const listed = await client.request('room:list', {});
    return listed.ok
      ? listed.rooms.find(({ name, head }) => name === 'Night watch' && head === 3)
      : undefined;
  };
  await expect.poll(found).toBeDefined();
  const { id } = (await found())!;
  await client.request('room:join', { room: id, clientOffset: newId() });
  const log = await wholeLog(server.url, lin, id);
  expect(log.flatMap((entry) => bodyOf(entry) ?? [])).toEqual(['one', 'two']);

  const again = await page.context().newPage();
  await again.goto(network.url);
  await again.getByRole('link', { name: /Night watch/ }).click();
  await expectState(again, 'two', 'Sent');
  expect(await tagsOf(again)).toEqual([]);
});

test('O3 O4 a room that the server refuses says why, with what is behind it; giving it up asks about that', async ({
  server,
  network,
  phone,
}) => {
  const page = await phone(network.url);
  await signUp(page, 'Ada');
  await canStartOffline(page);
  network.refuse();
  await makeRoom(page, 'One too many');
  await say(page, 'behind it');
  const ada = await sessionOf(page, server.url);
  for (let n = 0; n < ROOMS_CREATED_PER_DAY; n++)
    expect(await ada.makeRoom({ id: newId(), kind: 'private', name: `Room ${n}` })).toMatchObject({
      ok: true,
    });
  ada.close();
  network.pass();
  await expectState(page, 'behind it', 'Not sent');
  const log = page.getByRole('log');
  await message(page, 'behind it').getByRole('button').last().click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('The room could not be made.');
  await dialog.getByRole('button', { name: 'Close' }).click();
  await log.locator('.message').first().getByRole('button').last().click();
  await expect(dialog).toContainText('That is more than one person may do in a day');
  await expect(dialog).toMatchAriaSnapshot(`
    - dialog "The room was not made":
      - heading "The room was not made" [level=2]
      - button "Close"
      - paragraph: That is more than one person may do in a day, or you are in too many rooms.
      - textbox "Name of the room": One too many
      - button "Try again"
      - button "Give it up"
  `);
  await dialog.getByRole('button', { name: 'Give it up' }).click();
  expect(await violations(page, 'a room that was not made')).toEqual([]);
  await page.setViewportSize({ width: 320, height: 640 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
  await page.screenshot({ path: 'test-results/screens/unmade-room.png' });
  await expect(dialog).toContainText('1 message that you wrote in it would be deleted');
  await dialog.getByRole('button', { name: 'Delete all of it' }).click();
  await expect(page.getByRole('link', { name: /lobby/i })).toBeVisible();
  await expect(page.getByRole('link', { name: /One too many/ })).toHaveCount(0);
});

/** Over a connection past the network that fails. */
async function sessionOf(page: Page, url: string) {
  const cookies = await page.context().cookies();
  const token = cookies.map(({ value }) => value).find((value) => value.length > 20)!;
  const answer = await fetch(`${url}/api/session`, { headers: { authorization: `Bearer ${token}` } });
  return connectClient(url, { ...(await answer.json()), token });
}

async function makeRoom(page: Page, name: string): Promise<void> {
  await page.getByRole('link', { name: 'Back to the rooms' }).click();
  await page.getByRole('button', { name: 'Add a room' }).click();
  await page.getByRole('textbox', { name: 'Name of a new room' }).fill(name);
  await page.getByRole('button', { name: 'Create' }).click();
  await expect(page.getByRole('heading', { name })).toBeVisible();
}
