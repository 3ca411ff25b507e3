/** Users who change their name: shown at once in every tab, and stored for starts without a network. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LOBBY } from '../../../shared/mint.ts';
import { until } from '../db/until.ts';
import { type Browser, createBrowser, type Tab } from './browser.ts';
import { createModelServer, type ModelServer, mint } from './modelServer.ts';

let server: ModelServer;
let browser: Browser;
const tabs: Tab[] = [];
const lin = mint();

beforeEach(() => {
  server = createModelServer();
  server.names.set(lin, 'Lin');
  browser = createBrowser(server);
});
afterEach(() => {
  for (const tab of tabs.splice(0)) tab.kill();
});

async function openTab(): Promise<Tab> {
  const tab = browser.openTab();
  tabs.push(tab);
  await until('it shows something', () => tab.app().tag === 'signed-out' || tab.app().tag === 'signed-in');
  if (tab.app().tag === 'signed-out') await tab.client.signIn('Mika');
  await until('signed in', () => tab.app().tag === 'signed-in');
  tab.look(LOBBY);
  return tab;
}

const shown = (tab: Tab) => tab.conversation(LOBBY).messages.map(({ author }) => author.name);
const listed = (tab: Tab) => tab.signedIn().rooms[0]?.last?.author;

test('S2 a changed name is shown at once, in the conversation and in the list, in every tab', async () => {
  const [one, other] = [await openTab(), await openTab()];
  await one.untilLive();
  await other.untilLive();
  server.write(lin, 'hello');
  await until('shown', () => [one, other].every((tab) => shown(tab).join() === 'Lin'));
  server.live()!.hear('user', { user: { id: lin, name: 'Linnea', rev: 3 } }); // to one of the tabs
  await until('renamed', () =>
    [one, other].every((tab) => shown(tab).join() === 'Linnea' && listed(tab) === 'Linnea'),
  );
  server.live()!.hear('user', { user: { id: lin, name: 'Lin', rev: 2 } });
  server.write(lin, 'again');
  await until('two', () => shown(one).length === 2);
  expect(shown(one)).toEqual(['Linnea', 'Linnea']);
});

test('S2 names that changed meanwhile come with the welcome, and are stored for the next start without a network', async () => {
  const tab = await openTab();
  await tab.untilLive();
  server.write(lin, 'hello');
  await until('shown', () => shown(tab).join() === 'Lin');
  server.live()!.drop();
  server.rename(lin, 'Linnea');
  await tab.untilPassing('renamed', () => shown(tab).join() === 'Linnea');
  tab.kill();
  server.reachable = false;
  const again = await openTab();
  await until('read', () => shown(again).join() === 'Linnea');
  expect(listed(again)).toBe('Linnea');
});

test('the own name, changed on another device, is shown here, also after a reload without a network', async () => {
  const [one, other] = [await openTab(), await openTab()];
  await one.untilLive();
  await other.untilLive();
  server.rename(server.cookie!.id, 'Mikael');
  await until('renamed', () => [one, other].every((tab) => tab.signedIn().user.name === 'Mikael'));
  await until('kept', async () => {
    server.reachable = false;
    const again = await openTab();
    return again.signedIn().user.name === 'Mikael';
  });
});

test('an answer about the session that was under way during a change of the own name does not bring back the old name', async () => {
  const tab = await openTab();
  const real = server.fetch;
  const late = Promise.withResolvers<void>();
  let read = false;
  server.fetch = async (path, init) => {
    const answer = await real(path, init);
    if (path !== '/api/session') return answer;
    read = true;
    await late.promise;
    return answer;
  };
  tab.kill();
  server.passwords.set(server.cookie!.id, 'secret');
  const again = await openTab();
  await again.untilLive();
  await until('the server has read the session', () => read);
  server.rename(server.cookie!.id, 'Mikael');
  await until('renamed', () => again.signedIn().user.name === 'Mikael');
  late.resolve();
  await until('the answer is here', () => again.signedIn().hasPassword === true);
  expect(again.signedIn().user.name).toBe('Mikael');
  server.reachable = false;
  await until('kept', async () => (await openTab()).signedIn().user.name === 'Mikael');
});

test('the own name is changed by the server alone: a taken one, one too many, an empty one and no connection each say so', async () => {
  const [one, other] = [await openTab(), await openTab()];
  await one.untilLive();
  await other.untilLive();
  const rename = async (name: string) => (await one.client.people()).rename(name);
  expect(await rename('  ')).toEqual({ ok: false, reason: { code: 'empty' } });
  expect(await rename('x'.repeat(41))).toMatchObject({ ok: false, reason: { code: 'too-large' } });
  expect(await rename('Lin')).toMatchObject({ ok: false, reason: { code: 'conflict' } });
  expect(await rename('Fourth')).toMatchObject({
    ok: false,
    reason: { code: 'forbidden', retryAfter: 3_600_000 },
  });
  expect(one.signedIn().user.name).toBe('Mika');
  expect(await rename(' MIKA ')).toEqual({ ok: true });
  await until('renamed', () => [one, other].every((tab) => tab.signedIn().user.name === 'MIKA'));
  server.reachable = false;
  expect(await rename('Mikael')).toMatchObject({ ok: false, reason: { code: 'unreachable' } });
});
