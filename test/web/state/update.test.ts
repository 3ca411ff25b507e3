/** A whole client on a database of version 3: it works while the logs are moved to today's stores. */
import { WINDOW_STEP_LINES } from '../../../web/records/pageLimits.ts';
import 'fake-indexeddb/auto';
import { afterEach, expect, test, vi } from 'vitest';
import { LOBBY } from '../../../shared/mint.ts';
import { LEGACY_LOG_STORES } from '../../../web/db/userDatabase.ts';
import { until } from '../db/until.ts';
import { asVersion3, type Dump, dumpOf, restore } from '../db/version3/dump.ts';
import version3 from '../db/version3/records.json' with { type: 'json' };
import { type Browser, createBrowser, readAll, type Tab } from './browser.ts';
import { createModelServer, type ModelServer, mint } from './modelServer.ts';

vi.mock('../../../web/records/pageLimits.ts', async (original) => ({
  ...(await original<typeof import('../../../web/records/pageLimits.ts')>()),
  MOVE_CHUNK_ENTRIES: 5,
  MOVE_SLICE_ENTRIES: 10,
}));

let server: ModelServer;
let browser: Browser;
const tabs: Tab[] = [];

function openTab(online = true): Tab {
  const tab = browser.openTab({}, { online });
  tabs.push(tab);
  return tab;
}

afterEach(() => {
  for (const tab of tabs.splice(0)) tab.kill();
  vi.restoreAllMocks();
});

const database = () => `holdfast:${server.cookie!.id}`;
const isMoved = async () =>
  (await Promise.all(LEGACY_LOG_STORES.map((store) => readAll(browser.indexedDB, database(), store)))).every(
    (records) => records.length === 0,
  );
const lin = mint();

/** A user with 300 texts in the lobby and one queued message, stored by the app of version 3. */
async function older(): Promise<void> {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  server = createModelServer();
  server.readUpTo.set(LOBBY, 300); // so that it opens at the end
  browser = createBrowser(server);
  const tab = openTab();
  await until('signed out', () => tab.app().tag === 'signed-out');
  await tab.client.signIn('Mika');
  await tab.untilLive();
  for (let i = 1; i <= 300; i++) server.write(lin, `text ${i}`);
  server.amend('delete', 20);
  await until(
    'all is here',
    async () => (await readAll(browser.indexedDB, database(), 'log')).length === 301,
  );
  server.reachable = false;
  server.live()!.drop();
  expect(await tab.client.send(LOBBY, 'waits')).toEqual({ ok: true });
  tab.kill();
  const dump = asVersion3(await dumpOf(browser.indexedDB, database()), version3 as unknown as Dump);
  await new Promise((resolve) => {
    browser.indexedDB.deleteDatabase(database()).onsuccess = resolve;
  });
  await restore(dump, browser.indexedDB);
}

async function look(tab: Tab): Promise<void> {
  await tab.untilPassing('signed in', () => tab.app().tag === 'signed-in');
  tab.client.open(LOBBY);
  tab.look(LOBBY);
}

const untilMoved = (tab: Tab) =>
  until('all is moved', () => {
    tab.clock.pass(20);
    return isMoved();
  });

/** Others' messages in the window. */
const seen = (tab: Tab) => tab.read(LOBBY).filter((body) => body.startsWith('text'));

test('S3 O4 updated without a network: the newest messages are shown, older ones as they are moved; the outbox is kept', async () => {
  await older();
  const tab = openTab(false);
  await look(tab);
  await tab.untilPassing('the newest', () => seen(tab).at(-1) === 'text 300');
  expect(tab.read(LOBBY).at(-1)).toBe('waits (queued)');
  await tab.untilPassing('the beginning', () => {
    tab.client.loadOlder(LOBBY, WINDOW_STEP_LINES); // also before older ones are moved
    return tab.conversation(LOBBY).atStart;
  });
  expect(seen(tab)[0]).toBe('text 1');
  await untilMoved(tab);
  expect(tab.read(LOBBY)).toContain('deleted');
  expect(tab.signedIn().waiting).toBe(1);
});

test('O2 S2 updated with a network: the outbox is sent while logs are moved, and no stored entry is requested', async () => {
  await older();
  server.write(lin, 'text 301');
  server.reachable = true;
  const asked: unknown[] = [];
  server.intercept = (event, payload) => {
    if (event === 'range') asked.push(payload);
    return false;
  };
  const tab = openTab();
  await look(tab);
  await tab.untilPassing('sent', () => tab.read(LOBBY).at(-1) === 'waits');
  expect(await isMoved()).toBe(false); // otherwise this test shows nothing
  expect(server.sockets.at(-1)!.options.auth.cursors).toMatchObject({ [LOBBY]: [301, expect.anything()] });
  await untilMoved(tab);
  expect(seen(tab).at(-1)).toBe('text 301');
  expect(asked).toEqual([]);
  expect(await readAll(browser.indexedDB, database(), 'logSpans')).toMatchObject([{ from: 1, to: 303 }]);
});

test('S1 O4 killed again and again while logs are moved, nothing is lost', async () => {
  await older();
  for (let kills = 0; !(await isMoved()); kills++) {
    const tab = openTab(false);
    await tab.untilPassing('signed in', () => tab.app().tag === 'signed-in');
    for (let turn = 0; turn < 3 + 7 * (kills % 5); turn++) {
      tab.clock.pass(10);
      await new Promise((resolve) => setImmediate(resolve));
    }
    tab.kill();
  }
  server.reachable = true;
  const tab = openTab();
  await look(tab);
  await tab.untilPassing('sent', () => tab.read(LOBBY).at(-1) === 'waits');
  const log = (await readAll(browser.indexedDB, database(), 'log')) as { serverOffset: number }[];
  expect(log.map(({ serverOffset }) => serverOffset)).toEqual(Array.from({ length: 302 }, (_, i) => i + 1));
  expect(JSON.stringify(log)).not.toContain('"text 20"');
});
