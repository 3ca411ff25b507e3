/** Several tabs of one user in one browser share one outbox, in one order (S5). */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from '@playwright/test';
import { LOBBY } from '../../shared/mint.ts';
import type { InvitationAnswer } from '../../shared/protocol/index.ts';
import { bodyOf, connectClient, newId, signUp as signUpByApi, wholeLog } from '../support/api.ts';
import { recordsOf } from '../support/indexedDb.ts';
import { freeze, startTabs, thaw, ticksOf } from '../support/lifecycle.ts';
import { seeded } from '../support/random.ts';
import { waitFor } from '../support/waitFor.ts';
import { bodies, composer, expect, expectState, message, say, signUp, test } from './fixtures.ts';

const EACH_SAYS = 8;

interface Speaker {
  page: Page;
  /** The texts that the tab has started to send, and those that the app has accepted. */
  begun: string[];
  taken: string[];
}

for (const seed of [1, 2]) {
  test(`S5 L5 O2 three tabs send at once, one is closed and one frozen meanwhile: one order, no duplicates (seed ${seed})`, async ({
    server,
    network,
    storage,
  }) => {
    test.setTimeout(120_000);
    const random = seeded(seed);
    const session = await signUpByApi(server.url, 'Watcher');
    using watcher = await connectClient(server.url, session);
    await using tabs = await startTabs(storage.path);
    const first = await tabs.open(network.url);
    await signUp(first, 'Ada');
    const pages = [first, await tabs.open(first.url()), await tabs.open(first.url())];
    for (const page of pages) await expect(composer(page)).toBeVisible();
    const [stays, closed, frozen] = random
      .shuffle(pages)
      .map((page): Speaker => ({ page, begun: [], taken: [] })) as [Speaker, Speaker, Speaker];
    network.delay(random.int(0, 60)); // so that something is always in flight

    const speaking = [speak(stays, 'stays'), speak(frozen, 'frozen')];
    const cutShort = speak(closed, 'closed').catch(() => {});
    await Promise.all([
      inTheMiddle(closed, () => closed.page.close()),
      inTheMiddle(frozen, () => freeze(frozen.page)),
    ]);
    const stoodStillAt = await ticksOf(frozen.page);

    await speaking[0];
    await cutShort;
    for (const body of stays.taken) await expectState(stays.page, body, 'Sent');
    for (const body of [...stays.taken, ...closed.taken, ...frozen.taken]) await watcher.hears(body);
    const ticks = await ticksOf(stays.page);
    await waitFor('time goes by', async () => (await ticksOf(stays.page)) > ticks + 10);
    expect(await ticksOf(frozen.page)).toBe(stoodStillAt);
    expect(frozen.taken.length).toBeLessThan(EACH_SAYS);

    await thaw(frozen.page);
    await speaking[1];
    await expect.poll(() => recordsOf(stays.page, { store: 'rows' })).toEqual([]);
    const log = await wholeLog(server.url, session);
    expect(log.map((entry) => entry.serverOffset)).toEqual(log.map((_, index) => index + 1));
    const texts = log.flatMap((entry) => bodyOf(entry) ?? []);
    const of = ({ begun }: Speaker) => texts.filter((body) => begun.includes(body));
    expect(of(stays)).toEqual(stays.begun);
    expect(of(frozen)).toEqual(frozen.begun);
    expect(of(closed)).toEqual(closed.begun.slice(0, of(closed).length));
    expect(of(closed).length).toBeGreaterThanOrEqual(closed.taken.length);
    for (const { page } of [stays, frozen]) await expect.poll(() => bodies(page)).toEqual(texts);
    expect(watcher.heard(LOBBY).flatMap((entry) => bodyOf(entry) ?? [])).toEqual(texts);
    for (const body of texts) await expectState(frozen.page, body, 'Sent');

    async function inTheMiddle({ taken }: Speaker, happens: () => Promise<void>): Promise<void> {
      const after = random.int(1, EACH_SAYS - 3);
      const later = random.int(0, 50);
      await waitFor('so much is said', () => taken.length >= after);
      await sleep(later);
      await happens();
    }
  });
}

async function speak({ page, begun, taken }: Speaker, name: string): Promise<void> {
  for (let n = 1; n <= EACH_SAYS; n++) {
    const body = `${name} ${n}`;
    begun.push(body);
    await say(page, body);
    taken.push(body);
  }
}

test('O4 S5 a member who is removed while the room is open in three tabs: each says why, and a draft is kept until they join again', async ({
  server,
  phone,
}) => {
  using kim = await connectClient(server.url, await signUpByApi(server.url, 'Kim'));
  const room = newId();
  await kim.makeRoom({ id: room, kind: 'public', name: 'Ward 5' });
  const first = await phone(server.url);
  await signUp(first, 'Rae');
  await first.goto(`${server.url}/#/room/${room}`);
  await first.getByRole('button', { name: 'Join' }).click();
  const tabs = [first];
  while (tabs.length < 3) {
    const tab = await first.context().newPage();
    await tab.goto(`${server.url}/#/room/${room}`);
    tabs.push(tab);
  }
  for (const tab of tabs) await expect(composer(tab)).toBeVisible();
  await say(first, 'before');
  await composer(tabs[1]!).fill('half a thought');
  const listed = await kim.request('presence', { room });
  const rae = listed.ok && Object.entries(listed.users).find(([, { name }]) => name === 'Rae')![0];
  await kim.request('room:remove', { room, user: rae as string, clientOffset: newId() });
  for (const tab of tabs) {
    await expect(tab.getByRole('main').getByText('A moderator removed you from this room.')).toBeVisible();
    await expect(composer(tab)).toHaveCount(0);
    await expect(message(tab, 'before')).toBeVisible();
  }
  await tabs[2]!.getByRole('button', { name: 'Join again' }).click();
  for (const tab of tabs) await expect(composer(tab)).toBeVisible();
  await expect(composer(tabs[1]!)).toHaveValue('half a thought');
  await say(tabs[1]!, 'half a thought, and back');
  for (const tab of tabs) await expect(message(tab, 'half a thought, and back')).toBeVisible();
});

test('two invitations that somebody new follows in two tabs at once: one user, in both rooms', async ({
  server,
  phone,
}) => {
  const kim = await signUpByApi(server.url, 'Kim');
  using client = await connectClient(server.url, kim);
  const links: string[] = [];
  for (const name of ['Ward 5', 'Kitchen']) {
    const room = newId();
    await client.makeRoom({ id: room, kind: 'private', name });
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${kim.token}` };
    const body = JSON.stringify({ room, uses: 1 });
    const made = await fetch(`${server.url}/api/invitations`, { method: 'POST', headers, body });
    links.push(`${server.url}/#/join/${((await made.json()) as InvitationAnswer).token}`);
  }
  const first = await phone(links[0]!);
  const second = await first.context().newPage();
  await second.goto(links[1]!);
  const tabs = [first, second];
  for (const tab of tabs) await tab.getByRole('textbox', { name: 'Your name' }).fill('Rae');
  await first.getByRole('button', { name: 'Join' }).click();
  await say(first, 'here in the ward');
  await second.getByRole('button', { name: 'Join' }).click();
  await say(second, 'here in the kitchen');
  await first.goto(server.url);
  for (const name of ['Ward 5', 'Kitchen'])
    await expect(first.getByRole('link', { name: new RegExp(name) })).toBeVisible();
});
