/** Whole clients in several tabs of one browser: which one sends, and what happens when it is suspended (S5). */
import { afterEach, expect, test } from 'vitest';
import { LOBBY } from '../../../shared/mint.ts';
import type { Deps } from '../../../web/state/deps.ts';
import { seeded } from '../../support/random.ts';
import { turns, until } from '../db/until.ts';
import { type Browser, createBrowser, type Tab } from './browser.ts';
import { createModelServer, type ModelServer } from './modelServer.ts';

let server: ModelServer;
let browser: Browser;
const tabs: Tab[] = [];

async function openTab(changes: Partial<Deps> = {}): Promise<Tab> {
  const tab = browser.openTab(changes);
  tabs.push(tab);
  await until('started', () => tab.app().tag !== 'starting');
  if (tab.app().tag === 'signed-out') await tab.client.signIn('Mika');
  await tab.untilLive();
  tab.look(LOBBY);
  return tab;
}

function start(): void {
  server = createModelServer();
  browser = createBrowser(server);
}

const bodies = () => server.rooms.get(LOBBY)!.log.map((entry) => ('body' in entry ? entry.body : entry.kind));
const allSent = (tab: Tab) => tab.read(LOBBY).every((line) => !line.includes('('));

/** Lets time pass in all tabs. */
const untilAll = (what: string, isSo: () => boolean) =>
  until(what, () => {
    if (!isSo()) for (const tab of tabs) tab.clock.pass(10);
    return isSo();
  });

afterEach(() => {
  for (const tab of tabs.splice(0)) tab.kill();
});

test('S5 O2 the tab that sends is frozen and thaws after another has sent everything and five more: one order, no duplicates', async () => {
  start();
  const tab = await openTab();
  server.intercept = (event) => {
    if (event === 'append') tab.freeze();
    return event === 'append'; // lost
  };
  await tab.client.send(LOBBY, 'a');
  await until('frozen', () => tab.read(LOBBY)[0] === 'a (sending)');
  server.intercept = () => false;
  const other = await openTab(); // opened second, so it does not hold the lock
  await other.client.send(LOBBY, 'b');
  const began = other.clock.now();
  await other.untilPassing('the other goes on', () => bodies().length === 2);
  expect(other.clock.now() - began).toBeLessThanOrEqual(11_000);
  for (const body of ['c', 'd', 'e', 'f', 'g']) await other.client.send(LOBBY, body);
  await other.untilPassing('all sent', () => bodies().length === 7);
  tab.thaw();
  await tab.client.send(LOBBY, 'h');
  await untilAll('all', () => bodies().length === 8 && allSent(tab) && allSent(other));
  expect(bodies()).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']);
  expect(tab.read(LOBBY)).toEqual(bodies());
  expect(other.read(LOBBY)).toEqual(bodies());
});

for (const says of ['freeze', 'pagehide'] as const) {
  test(`S5 a page that gets ${says} while it sends releases the lock at once`, async () => {
    start();
    const tab = await openTab();
    server.intercept = (event) => event === 'append';
    await tab.client.send(LOBBY, 'a');
    await until('under way', () => tab.read(LOBBY)[0] === 'a (sending)');
    const other = await openTab(); // opened second, so it does not hold the lock
    server.intercept = () => false;
    tab.says(says);
    tab.freeze();
    const before = other.clock.now();
    await other.client.send(LOBBY, 'b');
    await until('the other sends', () => bodies().length === 2);
    expect(other.clock.now()).toBe(before);
    expect(bodies()).toEqual(['a', 'b']);
  });
}

test('S5 L3 without Web Locks two drains overlap and no entry is duplicated', async () => {
  start();
  const [tab, other] = [await openTab({ locks: undefined }), await openTab({ locks: undefined })];
  const held: (() => void)[] = [];
  server.intercept = (event, _, __, handle) => event === 'append' && held.push(handle) > 0;
  for (const body of ['a', 'b', 'c']) await tab.client.send(LOBBY, body);
  await other.client.send(LOBBY, 'd');
  await until('both send', () => held.length === 2);
  server.intercept = () => false;
  for (const handle of held.reverse()) handle();
  await untilAll('all', () => allSent(tab) && allSent(other) && bodies().length === 4);
  expect(bodies()).toEqual(['a', 'b', 'c', 'd']);
  expect(server.appends.flat().length).toBeGreaterThan(4); // the drains did overlap
});

for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
  test(`S5 O2 O3 three tabs that send, freeze, thaw, close: one order, no duplicates, seed ${seed}`, async () => {
    const random = seeded(seed);
    start();
    for (let i = 0; i < 3; i++) await openTab();
    const frozen = new Set<Tab>();
    const sent: string[] = [];
    server.intercept = (event, _, ack, handle) => {
      const fate = event === 'append' ? random.int(0, 3) : 0;
      if (fate === 1) handle(); // the answer is lost with the socket
      if (fate === 1 || fate === 2) server.live()?.drop();
      if (fate === 3) ack({ ok: false, error: { code: 'unavailable', message: '', retryAfter: 500 } });
      return fate !== 0;
    };
    for (let i = 0; i < 40; i++) {
      const tab = random.pick(tabs);
      switch (random.int(0, 5)) {
        case 0:
          tab.freeze();
          frozen.add(tab);
          break;
        case 1:
          tab.thaw();
          frozen.delete(tab);
          break;
        case 2:
          if (random.int(0, 3) > 0) break;
          tab.kill();
          frozen.delete(tab);
          tabs.splice(tabs.indexOf(tab), 1);
          await openTab();
          break;
        case 3:
          for (const each of tabs) each.clock.pass(random.int(100, 9_000));
          break;
        default: {
          const free = tabs.filter((each) => !frozen.has(each));
          if (free.length === 0) break;
          sent.push(`m${i}`);
          await random.pick(free).client.send(LOBBY, `m${i}`);
        }
      }
      await turns(random.int(0, 12));
    }
    server.intercept = () => false;
    const [stays] = tabs; // one tab stays frozen to the end
    for (const tab of tabs) if (tab !== stays) tab.thaw();
    await untilAll('all sent', () => bodies().length >= sent.length && tabs.slice(1).every(allSent));
    expect(bodies()).toEqual(sent);
    stays!.thaw();
    await untilAll('all show it', () => tabs.every((tab) => tab.read(LOBBY).join() === sent.join()));
  });
}
