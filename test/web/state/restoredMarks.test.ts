/** Read markers, unread counts and the separator after the server's data was restored from a backup. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LOBBY } from '../../../shared/mint.ts';
import { firstUnread } from '../../../web/view/readingPlace.ts';
import { until } from '../db/until.ts';
import { type Browser, createBrowser, type Tab } from './browser.ts';
import { createModelServer, type ModelServer, mint } from './modelServer.ts';

let server: ModelServer;
let browser: Browser;
let tabs: Tab[];
const lin = mint();

beforeEach(() => {
  server = createModelServer();
  browser = createBrowser(server);
  tabs = [];
});
afterEach(() => {
  for (const tab of tabs) tab.kill();
});

function openTab(): Tab {
  const tab = browser.openTab();
  tabs.push(tab);
  return tab;
}

function write(count: number): void {
  for (let i = 0; i < count; i++) server.write(lin, `text ${server.rooms.get(LOBBY)!.log.length + 1}`);
}

const unread = (tab: Tab) => tab.signedIn().rooms[0]?.unread;
const last = (tab: Tab) => tab.conversation(LOBBY).messages.at(-1)?.serverOffset;
/** The serverOffset of the message below the separator. */
const newSince = (tab: Tab) => {
  const state = tab.conversation(LOBBY);
  return firstUnread(state, state.readUpTo)?.serverOffset;
};

/** Two tabs show a room of 100 messages, all of them read. */
async function twoTabs(): Promise<Tab[]> {
  server.readUpTo.set(LOBBY, 99); // so that it opens at the end
  const tab = openTab();
  await until('signed out', () => tab.app().tag === 'signed-out');
  await tab.client.signIn('Mika');
  await tab.untilLive();
  write(100);
  const other = openTab();
  await until('signed in', () => other.app().tag === 'signed-in');
  await other.untilLive();
  for (const each of tabs) each.look(LOBBY);
  for (const each of tabs) await each.untilPassing('all is shown', () => last(each) === 100);
  return tabs;
}

async function untilRestored(): Promise<void> {
  for (const tab of tabs)
    await tab.untilPassing('the new log is shown', () => {
      const { connection } = tab.signedIn();
      return connection.tag === 'live' && last(tab) === 50 && !tab.conversation(LOBBY).loading;
    });
}

describe.each(['by the command', 'by hand'])('S1 after a restore %s', (how) => {
  const restore = () => server.restore(40, how === 'by hand' ? server.epoch : 'another epoch');

  test('what is new counts as unread, below a separator, in all tabs and after a start without a network', async () => {
    await twoTabs();
    tabs[0]!.client.seen(LOBBY, 100);
    await tabs[0]!.untilPassing('it is read', () => server.readUpTo.get(LOBBY) === 100);
    server.reachable = false;
    restore();
    write(10);
    server.reachable = true;
    await untilRestored();
    expect(tabs.map(unread)).toEqual([10, 10]);
    expect(tabs.map(newSince)).toEqual([41, 41]);
    write(1);
    for (const tab of tabs) await tab.untilPassing('the next', () => unread(tab) === 11);
    expect(server.readUpTo.get(LOBBY)).toBe(40);

    for (const tab of tabs.splice(0)) tab.kill();
    server.reachable = false;
    const later = openTab();
    await until('signed in', () => later.app().tag === 'signed-in');
    later.look(LOBBY);
    await later.untilPassing('it is shown', () => last(later) === 51);
    expect([unread(later), newSince(later)]).toEqual([11, 41]);
  });

  test('a marker that was set without a connection is forgotten, not sent', async () => {
    const [tab] = await twoTabs();
    server.reachable = false;
    server.live()!.drop();
    server.live()!.drop();
    tab!.client.seen(LOBBY, 100);
    await until('it is read', () => unread(tab!) === 0);
    restore();
    write(10);
    server.reachable = true;
    await untilRestored();
    expect(server.readUpTo.get(LOBBY)).toBe(40);
    expect(tabs.map(unread)).toEqual([10, 10]);
    tab!.client.seen(LOBBY, 43);
    await tab!.untilPassing('it is read', () => unread(tab!) === 7);
    expect(server.readUpTo.get(LOBBY)).toBe(43);
  });
});
