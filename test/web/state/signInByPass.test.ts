/** One-time passes and codes: an app on the home screen, or another device, comes in as the user. */
import { afterEach, expect, test } from 'vitest';
import type { Deps } from '../../../web/state/deps.ts';
import { turns, until } from '../db/until.ts';
import { type Browser, createBrowser, readAll, type Tab } from './browser.ts';
import { createModelServer, type ModelServer, mint } from './modelServer.ts';

const PASS = 'AAAAAAAAAAAAAAAA-_AAAA';
const tabs: Tab[] = [];
afterEach(() => {
  for (const tab of tabs.splice(0)) tab.kill();
});

function openTab(browser: Browser, changes: Partial<Deps> = {}): Tab {
  const tab = browser.openTab(changes);
  tabs.push(tab);
  return tab;
}

const userOf = (name: string) => ({ id: mint(), name, rev: 0 });

/** A server that knows Ada and a pass of hers, and an app that was just added to a home screen: it has no storage and no cookie. */
function homeScreen() {
  const server = createModelServer();
  const ada = userOf('Ada');
  server.names.set(ada.id, ada.name);
  server.passes.set(PASS, { user: ada });
  return { server, ada, browser: createBrowser(server) };
}

/** Counts the requests of this path; `lost`: the server handles them, and the answer does not arrive. */
function countOf(server: ModelServer, path: string, lost = () => false) {
  const { fetch } = server;
  const counted = { requests: 0 };
  server.fetch = async (input, init) => {
    const answer = await fetch(input, init);
    if (String(input) !== path) return answer;
    counted.requests++;
    if (lost()) throw new TypeError('Failed to fetch');
    return answer;
  };
  return counted;
}

test('an app that the home screen starts with a pass comes in as the user, without being asked', async () => {
  const { ada, browser } = homeScreen();
  const tab = openTab(browser, { pass: PASS });
  await tab.untilLive();
  expect(tab.signedIn().user).toMatchObject({ id: ada.id, name: 'Ada' });
});

test('later starts with the same pass ask nobody: the session is stored', async () => {
  const { server, ada, browser } = homeScreen();
  const counted = countOf(server, '/api/session/pass');
  await openTab(browser, { pass: PASS }).untilLive();
  const again = openTab(browser, { pass: PASS });
  await again.untilLive();
  expect(again.signedIn().user.id).toBe(ada.id);
  expect(counted.requests).toBe(1);
});

test('a pass that does not work shows the first screen, and no claim of it stays', async () => {
  const { browser } = homeScreen();
  const tab = openTab(browser, { pass: PASS.toLowerCase() });
  await until('the first screen', () => tab.app().tag === 'signed-out');
  expect(await readAll(browser.indexedDB, 'holdfast', 'claims')).toEqual([]);
});

test('O5 a pass changes nothing where somebody is signed in, by the storage or by the cookie alone', async () => {
  const { server, browser } = homeScreen();
  const counted = countOf(server, '/api/session/pass');
  const bo = userOf('Bo');
  server.names.set(bo.id, bo.name);
  server.cookie = bo;
  for (const each of [browser, browser, createBrowser(server)]) {
    const tab = openTab(each, { pass: PASS });
    await tab.untilLive();
    expect(tab.signedIn().user.id).toBe(bo.id);
    expect(await tab.client.signInByCode(PASS)).toMatchObject({ ok: true }); // as from a first screen that is about to go
    expect(tab.signedIn().user.id).toBe(bo.id);
  }
  expect(counted.requests).toBe(0);
});

test('a code that another device shows signs in here, and a wrong one says so', async () => {
  const { server, ada, browser } = homeScreen();
  await openTab(browser, { pass: PASS }).untilLive();
  const made = await (await tabs[0]!.client.devices()).makeCode();
  expect(made).toMatchObject({ ok: true, code: 'K7Q-M4P' });
  server.cookie = undefined;
  const tab = openTab(createBrowser(server));
  await until('the first screen', () => tab.app().tag === 'signed-out');
  expect(await tab.client.signInByCode('K7Q-M4Q')).toMatchObject({ reason: { code: 'unauthorized' } });
  expect(tab.app().tag).toBe('signed-out');
  expect(await tab.client.signInByCode('K7Q-M4P')).toMatchObject({ ok: true });
  await tab.untilLive();
  expect(tab.signedIn().user.id).toBe(ada.id);
});

test('the answer to a pass is lost: the next start with it is the same sign-in', async () => {
  const { server, ada, browser } = homeScreen();
  let lost = true;
  const counted = countOf(server, '/api/session/pass', () => lost);
  const tab = openTab(browser, { pass: PASS });
  await until('the first screen', () => tab.app().tag === 'signed-out');
  lost = false;
  server.cookie = undefined;
  const again = openTab(browser, { pass: PASS });
  await again.untilLive();
  expect(again.signedIn().user.id).toBe(ada.id);
  expect(counted.requests).toBe(2);
});

test('O4 the browser loses the cookie of a session by a pass: it is renewed by the claim', async () => {
  const { server, ada, browser } = homeScreen();
  const tab = openTab(browser, { pass: PASS });
  await tab.untilLive();
  server.cookie = undefined;
  server.live()!.drop();
  await tab.untilPassing('renewed', () => server.cookie?.id === ada.id);
  await tab.untilLive();
  await turns(1);
  expect(tab.signedIn().user.id).toBe(ada.id);
});
