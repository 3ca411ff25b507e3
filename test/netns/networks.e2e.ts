/** Changes of network, and a server on an address that is not loopback. */
import type { Page } from '@playwright/test';
import { ALONE, composer, expectInOrder, expectState, message, say, signUp } from '../e2e/fixtures.ts';
import { secondsFromVisible } from '../e2e/support/secondsFromVisible.ts';
import {
  type ApiClient,
  bodyOf,
  connectClient,
  type SignedUp,
  signUp as signUpByApi,
  text,
  wholeLog,
} from '../support/api.ts';
import { expect, type Field, MOBILE, test, WIFI } from './fixtures.ts';

test(
  'S4 O2 L3 from Wi-Fi to 4G with another address and without an event: live within 3 s after it becomes visible',
  ALONE,
  async ({ field }) => {
    const { page, api } = field;
    const reader = await signUpByApi(api, 'Reader');
    using bob = await connectClient(api, reader);
    const pocket = await outOfTheWifi(field, bob);
    await field.takeMobile();
    expect(await page.evaluate(() => navigator.onLine)).toBe(true);
    expect(await heard(page)).toEqual(['visibilitychange']); // from hiding the page

    const seconds = await lookAt(page, pocket, { missed: 'did you leave?', queued: 'on the doorstep' });
    console.log(`live ${seconds.toFixed(2)} s after being looked at`);
    expect(seconds).toBeLessThan(3);
    expect(await heard(page)).toEqual(['visibilitychange', 'visibilitychange']);
    expect(await field.connectedFrom()).toContain(MOBILE);

    await say(page, 'and on');
    await bob.hears('and on');
    expect(await textsIn(api, reader)).toEqual([
      'on the Wi-Fi',
      'did you leave?',
      'on the doorstep',
      'and on',
    ]);
  },
);

test(
  'S4 O2 becomes visible during an attempt to connect from the old address: live within 3 s',
  ALONE,
  async ({ field }) => {
    const { page, api } = field;
    const reader = await signUpByApi(api, 'Reader');
    using bob = await connectClient(api, reader);
    const pocket = await outOfTheWifi(field, bob);
    await expect.poll(() => field.callingFrom(), { timeout: 20_000, intervals: [100] }).toContain(WIFI);
    await field.takeMobile();

    const seconds = await lookAt(page, pocket, { missed: 'did you leave?', queued: 'on the doorstep' });
    console.log(`live ${seconds.toFixed(2)} s after being looked at while it was calling in vain`);
    expect(seconds).toBeLessThan(3);
    expect(await textsIn(api, reader)).toEqual(['on the Wi-Fi', 'did you leave?', 'on the doorstep']);
  },
);

/** The phone leaves the Wi-Fi with a message to send, is put away, and misses one. Resolves with the page that covers the app. */
async function outOfTheWifi(field: Field, other: ApiClient): Promise<Page> {
  await onTheWifi(field);
  await field.leaveWifi();
  await say(field.page, 'on the doorstep'); // into a dead socket that still reports to be open
  const pocket = await pocketed(field.page);
  await other.append(text('did you leave?'));
  return pocket;
}

async function onTheWifi({ page, url, connectedFrom }: Field): Promise<void> {
  await page.goto(url);
  await signUp(page, 'Ada');
  await say(page, 'on the Wi-Fi');
  await expectState(page, 'on the Wi-Fi', 'Sent');
  expect(await connectedFrom()).toContain(WIFI);
  await hearEverything(page);
}

/** Covers the page by another one, so that it is hidden. */
async function pocketed(page: Page): Promise<Page> {
  const pocket = await page.context().newPage();
  await expect.poll(() => page.evaluate(() => document.visibilityState)).toBe('hidden');
  return pocket;
}

/** Resolves with the seconds until missed messages have arrived and queued ones are sent. */
async function lookAt(page: Page, pocket: Page, { missed, queued }: { missed: string; queued: string }) {
  const live = await secondsFromVisible(page, missed, queued);
  await pocket.close();
  await expect(message(page, missed)).toBeVisible();
  await expectState(page, queued, 'Sent');
  return live();
}

async function textsIn(api: string, reader: SignedUp): Promise<string[]> {
  return (await wholeLog(api, reader)).flatMap((entry) => bodyOf(entry) ?? []);
}

/** Records network and visibility events of the page from now on. */
async function hearEverything(page: Page): Promise<void> {
  await page.evaluate(() => {
    const heard: string[] = [];
    Reflect.set(globalThis, 'heard', heard);
    const listen = (target: EventTarget | undefined, ...names: string[]) => {
      for (const name of names) target?.addEventListener(name, () => heard.push(name));
    };
    listen(document, 'visibilitychange', 'freeze', 'resume');
    listen(window, 'online', 'offline', 'pageshow', 'pagehide');
    listen(Reflect.get(navigator, 'connection'), 'change');
  });
}

function heard(page: Page): Promise<string[]> {
  return page.evaluate(() => Reflect.get(globalThis, 'heard') as string[]);
}

test('O1 O2 O4 plain HTTP from another machine: the chat works, the queue is kept, and the app says that starting offline needs HTTPS', async ({
  field,
}) => {
  const { page, api } = field;
  const reader = await signUpByApi(api, 'Reader');
  using bob = await connectClient(api, reader);
  await page.goto(field.url);
  expect(
    await page.evaluate(() => [
      isSecureContext,
      'locks' in navigator,
      'serviceWorker' in navigator,
      crypto.subtle !== undefined,
    ]),
  ).toEqual([false, false, false, false]);
  await signUp(page, 'Ada');
  await say(page, 'hello from the field');
  await bob.hears('hello from the field');
  await bob.append(text('hello, field'));
  await expectInOrder(page, ['hello from the field', 'hello, field']);
  await page.getByRole('link', { name: 'Back to the rooms' }).click();
  await page.getByRole('button', { name: 'Menu' }).click();
  await expect(page.getByRole('dialog').getByText('HTTPS')).toBeVisible();
  await page.keyboard.press('Escape');
  await page.getByRole('link', { name: /lobby/i }).click();

  await field.unplug();
  await expect(page.getByRole('main').getByText('Offline. What you write is sent later.')).toBeVisible();
  for (const body of ['waits 1', 'waits 2']) await say(page, body);
  await expectState(page, 'waits 2', 'Queued');
  await composer(page).fill('half a thou');
  await page.goto('about:blank'); // right after the last key; only the stored data of the page is left
  await field.plugIn();
  await expect.poll(() => page.evaluate(() => navigator.onLine)).toBe(true);
  await page.goto(field.url);
  await page.getByRole('link', { name: /lobby/i }).click();
  const all = ['hello from the field', 'hello, field', 'waits 1', 'waits 2'];
  await expectInOrder(page, all);
  await expectState(page, 'waits 2', 'Sent');
  await expect(composer(page)).toHaveValue('half a thou');
  await say(page, 'and on');
  await bob.hears('and on');
  expect(await textsIn(api, reader)).toEqual([...all, 'and on']);
});
