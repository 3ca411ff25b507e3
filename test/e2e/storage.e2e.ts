/** Failing storage: a typed text is always either in the field or in the outbox (O4). */
import type { Page } from '@playwright/test';
import { bodyOf, signUp as signUpByApi, wholeLog } from '../support/api.ts';
import { WHOLE_CHROMIUM } from '../support/chromium.ts';
import { clearStorage, closerOf, deleteDatabases, hangable } from '../support/handles.ts';
import { recordsOf } from '../support/indexedDb.ts';
import { smallDevice } from '../support/quota.ts';
import { seeded } from '../support/random.ts';
import type { ServerProcess } from '../support/serverProcess.ts';
import { bodies, composer, expect, expectState, message, say, signUp, test } from './fixtures.ts';

// The headless shell has no chrome://indexeddb-internals.
test.use(WHOLE_CHROMIUM);

const TYPED = 'typed in vain';
const FULL = 'Your text is still here. This device is out of storage. Free some space and try again.';
const FAILED = 'Your text is still here. This device could not save it. Try again, or reload the page.';

test('O4 the storage is full: the text stays in the field with a reason, and is sent once there is space', async ({
  server,
  network,
  browser,
  contextOptions,
}) => {
  await using context = await browser.newContext({ ...contextOptions, baseURL: network.url });
  const device = await smallDevice(context, network.url);
  const page = await context.newPage();
  await page.addInitScript(() => Reflect.deleteProperty(globalThis, 'SyncManager')); // or the service worker would send, too
  await page.goto('/');
  await signUp(page, 'Ada');
  await say(page, 'sent before');
  await expectState(page, 'sent before', 'Sent');
  network.refuse();
  await say(page, 'queued before');
  await expectState(page, 'queued before', 'Queued');

  const full = await device.fill();
  await expectInField(page, FULL);
  const line = page.getByText('This device is out of storage. Free some space: until then');
  await expect(line).toBeVisible();

  network.pass();
  await full.free();
  await tapSend(page);
  for (const body of ['queued before', TYPED]) await expectState(page, body, 'Sent');
  await expect(composer(page)).toHaveValue('');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(line).toHaveCount(0);
  await expectOnce(server, page, ['sent before', 'queued before', TYPED]);
});

test('O4 the database hangs: the text stays in the field with a reason, and is sent once afterwards', async ({
  server,
  phone,
}) => {
  const page = await phone(server.url);
  const database = await hangable(page);
  await page.reload();
  await signUp(page, 'Ada');
  await say(page, 'before');
  await expectState(page, 'before', 'Sent');
  await database.hang('yes');
  await expectInField(page, FAILED);
  await expect(page.getByText('This device cannot save what you write right now.')).toBeVisible();

  await database.hang('no');
  expect(await recordsOf(page, { store: 'rows' })).toEqual([]); // an aborted write is not committed later
  await tapSend(page);
  await expectState(page, TYPED, 'Sent');
  await expect(composer(page)).toHaveValue('');
  await expect(page.getByText('This device cannot save what you write right now.')).toHaveCount(0);
  await expectOnce(server, page, ['before', TYPED]);
});

test('O4 the database hangs for a while: it is reopened, and the text is sent once by itself', async ({
  server,
  phone,
}) => {
  const page = await phone(server.url);
  const database = await hangable(page);
  await page.reload();
  await signUp(page, 'Ada');
  await say(page, 'before');
  await expectState(page, 'before', 'Sent');
  const busyAfter = await watchBusy(page);
  await database.hang('once');
  await composer(page).fill(TYPED);
  await tapSend(page);
  await expectState(page, TYPED, 'Sent');
  await expect(composer(page)).toHaveValue('');
  expect(await busyAfter()).toBeGreaterThanOrEqual(500); // ms; sooner, the frame would hold up each message of a slow phone
  await expectOnce(server, page, ['before', TYPED]);
});

test('O4 O3 the browser closes every database connection again and again while messages are sent: each text is in the field or in the outbox, and sent once', async ({
  server,
  phone,
}) => {
  const random = seeded(7);
  const page = await phone(server.url);
  await signUp(page, 'Ada');
  await say(page, 'text 0');
  await expectState(page, 'text 0', 'Sent');
  const handles = await closerOf(page);
  const texts = ['text 0'];
  for (let n = 1; n <= 12; n++) {
    const body = `text ${n}`;
    await composer(page).fill(body);
    await Promise.all([page.evaluate(tapLater, random.int(0, 40)), handles.close()]);
    const isRefused = async () => (await page.getByText(FAILED).count()) > 0;
    const isInField = async () => (await composer(page).inputValue()) === body;
    await expect.poll(async () => !(await isInField()) || (await isRefused())).toBe(true);
    if (await isRefused()) {
      expect(await isInField()).toBe(true);
      await expect(message(page, body)).toHaveCount(0);
      await tapSend(page);
    }
    await expect(composer(page)).toHaveValue('');
    await expect(message(page, body)).toHaveCount(1);
    texts.push(body);
  }
  expect(await handles.felt()).toBeGreaterThanOrEqual(12);
  for (const body of texts) await expectState(page, body, 'Sent');
  await expectOnce(server, page, texts);
});

for (const [how, empty] of [
  ['deleted by another page', deleteDatabases],
  ['cleared by the browser', clearStorage],
] as const) {
  test(`O4 the database is ${how}: the text in the field stays, a line says what is lost, and the app continues`, async ({
    server,
    phone,
  }) => {
    const page = await phone(server.url);
    await signUp(page, 'Ada');
    await say(page, 'before');
    await expectState(page, 'before', 'Sent');
    await composer(page).fill(TYPED);
    await expect.poll(() => recordsOf(page, { store: 'drafts', containing: TYPED })).toHaveLength(1);

    await empty(page.context(), server.url);
    const line = page.getByText('The browser has deleted the data of this app on this device');
    await expect(line).toBeVisible();
    await expect(message(page, 'before')).toBeVisible(); // from the server
    await expect(composer(page)).toHaveValue(TYPED);
    await expect.poll(() => recordsOf(page, { store: 'drafts', containing: TYPED })).toHaveLength(1);
    await page.reload();
    await expect(composer(page)).toHaveValue(TYPED);
    await tapSend(page);
    await expectState(page, TYPED, 'Sent');
    await expectOnce(server, page, ['before', TYPED]);
  });
}

/** Sends a text that cannot be stored: it stays in the field with this reason, in no record, and nobody else receives it. */
async function expectInField(page: Page, why: string): Promise<void> {
  await composer(page).fill(TYPED);
  await tapSend(page);
  await expect(page.getByRole('alert').getByText(why)).toBeVisible();
  await expect(composer(page)).toHaveValue(TYPED);
  await expect(message(page, TYPED)).toHaveCount(0);
}

async function expectOnce(server: ServerProcess, page: Page, expected: string[]): Promise<void> {
  await expect.poll(() => bodies(page)).toEqual(expected);
  expect(await recordsOf(page, { store: 'rows' })).toEqual([]);
  const log = await wholeLog(server.url, await signUpByApi(server.url, 'Reader'));
  expect(log.flatMap((entry) => bodyOf(entry) ?? [])).toEqual(expected);
}

/** Resolves with how long after a tap Send begins to look busy. */
async function watchBusy(page: Page): Promise<() => Promise<number>> {
  const shown = await page.evaluateHandle(() => {
    const send = document.querySelector('button.send')!;
    let tappedAt = 0;
    send.addEventListener('click', () => (tappedAt = performance.now()), { capture: true });
    let tell = (_ms: number) => {};
    const after = new Promise<number>((resolve) => (tell = resolve));
    new MutationObserver(() => {
      if (send.getAttribute('aria-busy') === 'true') tell(performance.now() - tappedAt);
    }).observe(send, { attributeFilter: ['aria-busy'] });
    return { after };
  });
  return () => shown.evaluate(({ after }) => after);
}

function tapSend(page: Page): Promise<void> {
  return page.getByRole('button', { name: 'Send', exact: true }).click();
}

/** Runs in the page, since the timing cannot be as exact from outside. */
async function tapLater(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
  document.querySelector<HTMLElement>('.composer .send')!.click();
}
