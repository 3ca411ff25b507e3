/** Two users of one browser: the queue of one is never visible to the other (O5). */
import type { Page } from '@playwright/test';
import { bodyOf, signUp as signUpByApi, wholeLog } from '../support/api.ts';
import { recordsOf } from '../support/indexedDb.ts';
import { withoutSyncManager, workerOf } from '../support/worker.ts';
import { bodies, canStartOffline, composer, expect, expectState, say, signUp, test } from './fixtures.ts';
import { barSocket } from './support/barSocket.ts';

const WAITING = ['Ada waits 1', 'Ada waits 2', 'Ada waits 3'];
const DRAFT = 'Ada was about to say';

test('O5 O4 a user signs out with a queue and another user signs in: the queue is neither shown nor sent; when the first user returns it is there, and sent once', async ({
  server,
  phone,
}) => {
  const reader = await signUpByApi(server.url, 'Reader');
  const texts = async () => (await wholeLog(server.url, reader)).flatMap((entry) => bodyOf(entry) ?? []);
  const page = await phone(server.url);
  const context = page.context();
  await canStartOffline(page);
  await signUp(page, 'Ada');
  await setPassword(page, 'correct horse');
  const socket = await barSocket(context); // HTTP works, for signing in and out
  await withoutSyncManager(context); // or the service worker would send by HTTP
  await page.reload();
  const tab = await context.newPage();
  await tab.goto(server.url);
  await openLobby(tab);
  await page.bringToFront(); // a tab in the background has a frame a second
  for (const body of WAITING) await say(page, body);
  await composer(page).fill(DRAFT);
  await expectState(tab, WAITING[2]!, 'Queued');

  await signOut(page, 'They stay on this device and are sent when Ada signs in here again.');
  await expect(tab.getByRole('textbox', { name: 'Your name' })).toBeVisible();
  await signUp(page, 'Eve');
  await socket.open();
  const worker = await workerOf(context, server.url);
  await worker.wake();
  await expect(composer(tab)).toBeVisible();
  await say(page, 'Eve here');
  await tab.bringToFront();
  await say(tab, 'Eve there');
  for (const each of [page, tab]) {
    await expectState(each, 'Eve here', 'Sent');
    await expectState(each, 'Eve there', 'Sent');
    await expect(composer(each)).toHaveValue('');
    expect(await each.content()).not.toContain('Ada w'); // neither her messages nor her draft
  }
  expect(await texts()).toEqual(['Eve here', 'Eve there']);
  const [hers, others] = [
    await recordsOf(page, { containing: 'Ada w' }),
    await recordsOf(page, { containing: 'Eve' }),
  ];
  expect(new Set(hers.map(({ database }) => database)).size).toBe(1);
  expect(others.map(({ database }) => database)).not.toContain(hers[0]!.database);

  await page.bringToFront();
  await signOut(page, 'signing out is for good');
  await comeBack(page, 'Ada', 'correct horse');
  await openLobby(page);
  for (const each of [page, tab]) {
    for (const body of WAITING) await expectState(each, body, 'Sent');
    expect(await bodies(each)).toEqual(['Eve here', 'Eve there', ...WAITING]);
    await expect(composer(each)).toHaveValue(DRAFT);
  }
  expect(await texts()).toEqual(['Eve here', 'Eve there', ...WAITING]);
  expect(server.logs()).not.toContain('Ada');
});

async function openLobby(page: Page): Promise<void> {
  await page.getByRole('link', { name: /lobby/i }).click();
}

async function setPassword(page: Page, password: string): Promise<void> {
  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('button', { name: 'Set a password' }).click();
  await page.getByRole('textbox', { name: 'New password' }).fill(password);
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('dialog')).toHaveCount(0);
}

/** Confirms the warning with this text. */
async function signOut(page: Page, told: string): Promise<void> {
  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  const sheet = page.getByRole('dialog');
  await expect(sheet).toContainText(told);
  await sheet.getByRole('button', { name: /^Sign out/ }).click();
  await expect(page.getByRole('textbox', { name: 'Your name' })).toBeVisible();
}

async function comeBack(page: Page, name: string, password: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Your name' }).fill(name);
  await page.getByRole('button', { name: 'Start chatting' }).click();
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Start chatting' }).click();
}
