import { afterEach, beforeEach, expect, test } from 'vitest';
import { LOBBY } from '../../../shared/mint.ts';
import { turns, until } from '../db/until.ts';
import { type Browser, createBrowser, readAll, type Tab } from './browser.ts';
import { createModelServer, type ModelServer, mint } from './modelServer.ts';

let server: ModelServer;
let browser: Browser;
const tabs: Tab[] = [];

beforeEach(() => {
  server = createModelServer();
  browser = createBrowser(server);
});

afterEach(() => {
  for (const tab of tabs.splice(0)) tab.kill();
});

async function openTab(): Promise<Tab> {
  const tab = browser.openTab();
  tabs.push(tab);
  await until('it shows something', () => tab.app().tag === 'signed-out' || tab.app().tag === 'signed-in');
  return tab;
}

async function look(tab: Tab): Promise<void> {
  await tab.untilLive();
  tab.look(LOBBY);
  await until('the conversation is read', () => !tab.conversation(LOBBY).loading);
}

/** Mika in several tabs, with one queued message and a draft. */
async function mikaIn(count: number): Promise<Tab[]> {
  const opened = [await openTab()];
  expect(await opened[0]!.client.signIn('Mika')).toEqual({ ok: true });
  await look(opened[0]!);
  await opened[0]!.client.setPassword('secret');
  while (opened.length < count) {
    const tab = await openTab();
    await look(tab);
    opened.push(tab);
  }
  server.intercept = (event) => event === 'append';
  await opened[0]!.client.send(LOBBY, 'for later');
  opened[0]!.client.saveDraft(LOBBY, 'half a secret');
  await until('kept', () => opened[0]!.signedIn().rooms[0]!.draft === 'half a secret');
  return opened;
}

const bodies = () => server.rooms.get(LOBBY)!.log.map((entry) => ('body' in entry ? entry.body : entry.kind));
const nameIn = (tab: Tab) => {
  const app = tab.app();
  return app.tag === 'signed-in' ? app.user.name : app.tag;
};
const isIn = (tab: Tab, name: string) => tab.untilPassing(`${name} is in`, () => nameIn(tab) === name);

test('O5 another user signs in in another tab: every tab switches, nothing of the first user is shown or sent, and it is there on their return', async () => {
  const [one, other] = (await mikaIn(2)) as [Tab, Tab];
  expect(await one.client.signOut()).toEqual({ ok: true });
  await isIn(other, 'signed-out');
  server.intercept = () => false;
  expect(await other.client.signIn('Lin')).toEqual({ ok: true });
  for (const tab of [one, other]) {
    await isIn(tab, 'Lin');
    await look(tab);
    await turns(100);
    expect(tab.read(LOBBY)).toEqual([]);
    expect(tab.signedIn()).toMatchObject({ waiting: 0, rooms: [{ draft: '' }] });
    expect(await tab.client.draft(LOBBY)).toBe('');
  }
  expect(bodies()).toEqual([]);
  await other.client.signOut();
  await isIn(one, 'signed-out');
  expect(await one.client.signIn('Mika', 'secret')).toEqual({ ok: true });
  for (const tab of [one, other]) {
    await isIn(tab, 'Mika');
    await look(tab);
    await tab.untilPassing('sent', () => tab.read(LOBBY).join() === 'for later');
    expect(await tab.client.draft(LOBBY)).toBe('half a secret');
  }
  expect(bodies()).toEqual(['for later']);
});

test.each(['visible', 'pageshow', 'resume'] as const)(
  'O5 a tab that was suspended meanwhile shows nothing of the first user: it gets only %s',
  async (event) => {
    const deaf = () => ({ postMessage() {}, onmessage: null, close() {} }); // messages of the other tabs are lost
    const tab = browser.openTab({ channel: deaf });
    tabs.push(tab);
    await until('signed out', () => tab.app().tag === 'signed-out');
    expect(await tab.client.signIn('Mika')).toEqual({ ok: true });
    await look(tab);
    server.intercept = (request) => request === 'append';
    await tab.client.send(LOBBY, 'for later');
    tab.freeze();
    const other = await openTab();
    await look(other);
    await other.client.signOut();
    server.intercept = () => false;
    expect(await other.client.signIn('Lin')).toEqual({ ok: true });
    await look(other);
    tab.thaw();
    tab.says(event);
    await isIn(tab, 'Lin');
    await look(tab);
    await turns(100);
    expect(tab.read(LOBBY)).toEqual([]);
    expect(bodies()).toEqual([]);
    await other.client.signOut();
    tab.says(event);
    await isIn(tab, 'signed-out');
    expect(tab.conversation(LOBBY).messages).toEqual([]);
  },
);

test('O5 three tabs, one hidden and one frozen, while a user signs out, another signs in and out, and the first returns', async () => {
  const [active, hidden, frozen] = (await mikaIn(3)) as [Tab, Tab, Tab];
  hidden.says('hidden');
  frozen.says('freeze');
  frozen.freeze();
  await active.client.signOut();
  server.intercept = () => false;
  await active.client.signIn('Lin');
  await look(active);
  expect(await active.client.send(LOBBY, 'of Lin')).toEqual({ ok: true });
  await active.untilPassing('sent', () => bodies().length === 1);
  await active.client.signOut();
  await active.client.signIn('Mika', 'secret');
  frozen.thaw();
  frozen.says('resume');
  hidden.says('visible');
  for (const tab of [active, hidden, frozen]) {
    await isIn(tab, 'Mika');
    await look(tab);
    await tab.untilPassing('all of it', () => tab.read(LOBBY).join() === 'of Lin,for later');
  }
  expect(bodies()).toEqual(['of Lin', 'for later']);
});

test('O5 drafts belong to their user: another user has none of them', async () => {
  const [tab] = (await mikaIn(1)) as [Tab];
  const mika = tab.signedIn().user.id;
  tab.client.saveDraft(LOBBY, 'half a secret, and a word more');
  expect(await tab.client.signOut()).toEqual({ ok: true });
  expect(await tab.client.draft(LOBBY)).toBe('');
  tab.client.saveDraft(LOBBY, 'typed while nobody was in');
  await tab.client.signIn('Lin');
  await look(tab);
  const lin = tab.signedIn().user.id;
  expect(await readAll(browser.indexedDB, `holdfast:${lin}`, 'drafts')).toEqual([]);
  expect(await readAll(browser.indexedDB, `holdfast:${lin}`, 'rows')).toEqual([]);
  expect(await readAll(browser.indexedDB, `holdfast:${mika}`, 'drafts')).toEqual([
    { room: LOBBY, text: 'half a secret, and a word more' },
  ]);
});

test('O5 a sign-out whose answer is slow is not undone by the claim that is still kept', async () => {
  let answer = () => {};
  const slow: typeof fetch = async (input, init) => {
    const response = await server.fetch(input, init);
    if (init?.method !== 'DELETE') return response;
    for (const socket of server.sockets) socket.drop();
    await new Promise<void>((resolve) => {
      answer = resolve;
    });
    return response;
  };
  const tab = browser.openTab({ fetch: slow });
  tabs.push(tab);
  await until('signed out', () => tab.app().tag === 'signed-out');
  await tab.client.signIn('Mika');
  await look(tab);
  const other = await openTab();
  await look(other);
  const leaving = tab.client.signOut();
  for (const each of [tab, other])
    await each.untilPassing('refused', () => each.signedIn().connection.tag === 'signed-out');
  await turns(100);
  answer();
  expect(await leaving).toEqual({ ok: true });
  expect(server.cookie).toBeUndefined();
  for (const each of [tab, other]) await isIn(each, 'signed-out');
});

test('O5 a page that becomes visible does not restore a session that another tab ended', async () => {
  const tab = await openTab();
  await tab.client.signIn('Mika');
  await look(tab);
  tab.says('visible');
  await turns();
  expect(nameIn(tab)).toBe('Mika');
  await tab.client.signOut();
  tab.says('visible');
  await turns();
  expect(nameIn(tab)).toBe('signed-out');
  expect(await readAll(browser.indexedDB, 'holdfast', 'session')).toEqual([true]);
});

test('O2 a tab finds that the browser is signed in after all: tabs that show the sign-in switch too', async () => {
  const asking = await openTab();
  expect(nameIn(asking)).toBe('signed-out');
  const other = createBrowser(server).openTab(); // a cookie, but an empty storage
  tabs.push(other);
  await until('it shows something', () => other.app().tag === 'signed-out');
  await other.client.signIn('Mika');
  const third = await openTab();
  await isIn(third, 'Mika');
  await isIn(asking, 'Mika');
});

const stored = async (store: string) => (await readAll(browser.indexedDB, `holdfast:${mika}`, store)).length;
let mika = '';

test('O4 a sign-out deletes the log and the names, and keeps what was not sent; it goes on after the tab was killed', async () => {
  const [tab] = (await mikaIn(1)) as [Tab];
  mika = tab.signedIn().user.id;
  server.write(mint(), 'from Lin');
  await until('it is stored', async () => (await stored('log')) === 1);
  expect(await tab.client.signOut()).toEqual({ ok: true });
  tab.kill(); // perhaps before anything was deleted
  const later = await openTab();
  await until('all is deleted', async () => (await stored('log')) + (await stored('users')) === 0);
  expect([await stored('rows'), await stored('drafts'), await stored('rooms')]).toEqual([1, 1, 1]);
  server.intercept = () => false;
  expect(await later.client.signIn('Mika', 'secret')).toEqual({ ok: true });
  await look(later);
  await later.untilPassing('it is sent', () => later.read(LOBBY).includes('for later'));
  expect(await later.client.draft(LOBBY)).toBe('half a secret');
});

test('a sign-out that is to delete everything leaves nothing that was written', async () => {
  const [tab, other] = (await mikaIn(2)) as [Tab, Tab];
  mika = tab.signedIn().user.id;
  expect(await tab.client.signOut('deleted')).toEqual({ ok: true });
  await until('the other tab follows', () => other.app().tag === 'signed-out');
  await until('all is deleted', async () => {
    const counts = await Promise.all(['log', 'rows', 'drafts', 'marks', 'users', 'rooms'].map(stored));
    return counts.every((count) => count === 0);
  });
});

test.each([
  ['somebody signed this device out', { reason: 'signed-out' }, 0],
  ['the server just does not know the session', {}, 1],
])(
  'O4 %s: the log is deleted only in the first case, and what was not sent never',
  async (_, refusal, log) => {
    const [tab] = (await mikaIn(1)) as [Tab];
    mika = tab.signedIn().user.id;
    server.write(mint(), 'from Lin');
    await until('it is stored', async () => (await stored('log')) === 1);
    server.claims.clear();
    server.refusal = refusal;
    server.cookie = undefined;
    server.live()!.drop();
    await tab.untilPassing('refused', () => tab.signedIn().connection.tag === 'signed-out');
    await turns(50);
    await until('the log is as it should be', async () => (await stored('log')) === log);
    expect([await stored('rows'), await stored('drafts')]).toEqual([1, 1]);
    expect(tab.signedIn().waiting).toBe(1);
  },
);
