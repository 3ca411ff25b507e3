/** Edits and deletions while a reader of the old texts is offline (S3). */
import type { Page } from '@playwright/test';
import { LOBBY } from '../../shared/mint.ts';
import type { Item } from '../../shared/protocol/index.ts';
import { type ApiClient, connectClient, newId, signUp as signUpByApi, text } from '../support/api.ts';
import { recordsOf } from '../support/indexedDb.ts';
import type { TcpProxy } from '../support/proxy.ts';
import { canStartOffline, expect, expectInOrder, message, signUp, test } from './fixtures.ts';
import { crowdSays, numbered } from './support/crowd.ts';
import { goToNewest, readToTheBeginning } from './support/scroll.ts';

const REGRETTED = 'what Bob regrets';
const REWORDED = 'what Bob regrets, in other words';
const MISTYPED = 'we meet at nien';
const CORRECTED = 'we meet at nine';
const SAID = ['before', REGRETTED, MISTYPED, 'after'];
const LEFT = ['before', 'Message deleted', CORRECTED, 'after'];
const MISSED = numbered('missed', 5_000);

test('S3 messages in view are edited and deleted while the reader misses 5,000 messages: after the reconnect the old texts are gone from the screen and from every record', async ({
  server,
  network,
  phone,
}) => {
  test.setTimeout(120_000); // 5,000 entries take long on a busy machine
  using bob = await connectClient(server.url, await signUpByApi(server.url, 'Bob'));
  const said = await saySomething(bob);
  const since = numbered('since', 250);
  await crowdSays(server.url, since); // more than a window, so that a scrolled reader stays where they are after the reconnect
  const page = await phone(network.url);
  await signUp(page, 'Ada');
  expect((await readToTheBeginning(page)).lines).toEqual([...SAID, ...since]);
  await expect(message(page, REGRETTED)).toBeInViewport();

  await leave(page, network);
  await sayAndUnsay(server.url, bob, said);
  network.pass();
  await expect(page.getByRole('log').getByText('Message deleted')).toBeInViewport();
  await expect(message(page, CORRECTED)).toBeInViewport();
  await expectNowhere(page);
});

test('S3 messages are edited and deleted while the reader misses 5,000 messages and then reads them all: the old texts never show again and are in no record', async ({
  server,
  network,
  phone,
}) => {
  test.setTimeout(240_000);
  using bob = await connectClient(server.url, await signUpByApi(server.url, 'Bob'));
  const page = await phone(network.url);
  await signUp(page, 'Ada');
  const said = await saySomething(bob);
  await expectInOrder(page, SAID);

  await leave(page, network);
  await sayAndUnsay(server.url, bob, said);
  await page.reload(); // the page does not know of the changes yet
  await expectInOrder(page, SAID);
  network.pass();
  await goToNewest(page, MISSED.at(-1)!);

  const { lines, inSight } = await readToTheBeginning(page);
  expect(lines).toEqual([...LEFT, ...MISSED]);
  for (const body of [REGRETTED, REWORDED, MISTYPED]) expect(inSight).not.toContain(body);
  await expectNowhere(page);
});

async function saySomething(bob: ApiClient): Promise<Item[]> {
  const items = SAID.map((body) => text(body));
  expect(await bob.append(...items)).toMatchObject({ ok: true });
  return items;
}

async function leave(page: Page, network: TcpProxy): Promise<void> {
  await canStartOffline(page);
  network.refuse();
  await expect(page.getByText('Offline').first()).toBeAttached();
}

/** In between, Bob edits one message, edits another, and deletes the second. */
async function sayAndUnsay(url: string, bob: ApiClient, [, regretted, mistyped]: Item[]): Promise<void> {
  const to = (item: Item | undefined) => ({ room: LOBBY, clientOffset: newId(), target: item!.clientOffset });
  await crowdSays(url, MISSED.slice(0, 2_500));
  for (const item of [
    { kind: 'edit', body: REWORDED, ...to(regretted) },
    { kind: 'edit', body: CORRECTED, ...to(mistyped) },
    { kind: 'delete', ...to(regretted) },
  ] satisfies Item[])
    expect(await bob.append(item)).toMatchObject({
      ok: true,
      results: [{ serverOffset: expect.any(Number) }],
    });
  await crowdSays(url, MISSED.slice(2_500));
}

/** Neither the deleted text nor its edited version. */
async function expectNowhere(page: Page): Promise<void> {
  await expect(message(page, REGRETTED)).toHaveCount(0);
  expect(await recordsOf(page, { containing: REGRETTED })).toEqual([]);
}

test('S3 a reply to a message in a hole quotes it, offline too; a tap goes there and a button back; once that is deleted, its text is nowhere', async ({
  server,
  network,
  phone,
}) => {
  using bob = await connectClient(server.url, await signUpByApi(server.url, 'Bob'));
  const regretted = text(REGRETTED);
  const replyTo = { author: bob.session.user.id, clientOffset: regretted.clientOffset };
  await bob.append(regretted);
  await crowdSays(server.url, numbered('since', 250)); // more than the newest that a new phone gets
  await bob.append({ ...text('I stand by it'), replyTo });

  const page = await phone(network.url);
  await signUp(page, 'Ada');
  const quote = page.getByRole('log').locator('.quote');
  await expect(quote).toContainText(REGRETTED);
  await leave(page, network);
  await page.reload();
  await expect(quote).toContainText(REGRETTED);
  await quote.click(); // what is not held cannot be had offline
  await expect(page.getByText('That message cannot be loaded now.')).toBeVisible();
  network.pass();
  await expect(page.getByText('Offline')).toHaveCount(0);
  await quote.click();
  await expect(page.locator('.message .body', { hasText: REGRETTED })).toBeInViewport();
  await page.getByRole('button', { name: 'Back to the reply' }).click();
  await expect(quote).toBeInViewport();

  const target = regretted.clientOffset;
  await bob.append({ room: LOBBY, clientOffset: newId(), kind: 'delete', target });
  await expect(quote).toContainText('Message deleted');
  await expect(page.getByText(REGRETTED)).toHaveCount(0);
  await expectNowhere(page);
});
