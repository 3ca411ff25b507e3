import { afterEach, expect, test, vi } from 'vitest';
import { LOBBY } from '../../../shared/mint.ts';
import { DATABASE_TIMEOUT_MS, DRAFT_WITHIN_MS, RETRY_MAX_MS } from '../../../web/records/pageLimits.ts';
import { type FaultyIndexedDB, faultyIndexedDB } from '../../support/faultyIndexedDB.ts';
import { turns, until } from '../db/until.ts';
import { type Browser, createBrowser, readAll, type Tab } from './browser.ts';
import { createModelServer, type ModelServer, mint } from './modelServer.ts';

let server: ModelServer;
let browser: Browser;
let faults: FaultyIndexedDB;
const tabs: Tab[] = [];

function openTab(): Tab {
  const tab = browser.openTab({ indexedDB: faults.indexedDB });
  tabs.push(tab);
  return tab;
}

function start(): Tab {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  server = createModelServer();
  browser = createBrowser(server);
  faults = faultyIndexedDB(browser.indexedDB);
  return openTab();
}

async function signedIn(): Promise<Tab> {
  const tab = start();
  await until('signed out', () => tab.app().tag === 'signed-out');
  expect(await tab.client.signIn('Mika')).toEqual({ ok: true });
  await tab.untilLive();
  await look(tab);
  return tab;
}

async function look(tab: Tab): Promise<void> {
  tab.look(LOBBY);
  await until('the conversation is read', () => !tab.conversation(LOBBY).loading);
}

const bodies = () => server.rooms.get(LOBBY)!.log.map((entry) => ('body' in entry ? entry.body : entry.kind));
const me = () => `holdfast:${server.cookie!.id}`;
const shows = (tab: Tab, messages: string[]) =>
  tab.untilPassing(`it shows ${messages}`, () => tab.read(LOBBY).join() === messages.join());

/** The outcome of a send whose write timed out. */
async function passingUntilDone<T>(tab: Tab, work: Promise<T>): Promise<T> {
  let done = false;
  const ended = work.finally(() => {
    done = true;
  });
  await tab.untilPassing('an answer', () => done);
  return ended;
}

afterEach(() => {
  for (const tab of tabs.splice(0)) tab.kill();
  vi.restoreAllMocks();
});

test('O4 O3 a full device: the text stays in the composer with a reason, the outbox is sent as soon as there is space, and the connection stays live', async () => {
  const tab = await signedIn();
  server.intercept = (event) => event === 'append';
  expect(await tab.client.send(LOBBY, 'waits')).toEqual({ ok: true });
  await until('sending', () => tab.read(LOBBY)[0] === 'waits (sending)');
  faults.quota(0);
  expect(await tab.client.send(LOBBY, 'too much')).toEqual({ ok: false, reason: { code: 'storage-full' } });
  expect(tab.signedIn().storage).toBe('full');
  server.intercept = () => false;
  const sockets = server.sockets.length;
  for (let i = 0; i < 10; i++) server.write(mint(), `from another ${i}`);
  for (let i = 0; i < 60; i++) {
    tab.clock.pass(1_000);
    await turns(10);
  }
  expect(tab.signedIn()).toMatchObject({ storage: 'full', connection: { tag: 'live' } });
  expect(server.sockets.length - sockets).toBeLessThanOrEqual(1); // the append without an answer caused a probe
  expect(tab.read(LOBBY)[0]).not.toBe('waits');
  faults.quota(undefined);
  await tab.untilPassing('room again', () => tab.signedIn().storage === 'ok');
  await tab.untilPassing('sent', () => tab.signedIn().waiting === 0);
  await tab.untilPassing('caught up', () => tab.read(LOBBY).length === 11);
  expect(bodies().filter((body) => body === 'waits')).toHaveLength(1);
  expect(bodies()).not.toContain('too much');
});

test('O1 a message shows as saving until it is durable; where it cannot be stored it is gone again, and the caller keeps the text', async () => {
  const tab = await signedIn();
  server.reachable = false;
  server.live()!.drop();
  const shown: string[][] = [];
  const stop = tab.client.conversation(LOBBY).subscribe(() => shown.push(tab.read(LOBBY)));
  faults.lateCommits(true);
  const sent = tab.client.send(LOBBY, 'durable later');
  await until('it is written', () => tab.read(LOBBY).length === 1);
  await turns(50);
  expect(tab.read(LOBBY)).toEqual(['durable later (saving)']);
  faults.lateCommits(false);
  expect(await sent).toEqual({ ok: true });
  expect(tab.read(LOBBY)).toEqual(['durable later (queued)']);

  faults.quota(0);
  shown.length = 0;
  expect(await tab.client.send(LOBBY, 'too much')).toEqual({ ok: false, reason: { code: 'storage-full' } });
  expect(tab.read(LOBBY)).toEqual(['durable later (queued)']);
  expect(shown.flat()).not.toContain('too much (queued)');
  stop();
});

test('O2 O4 a device that is full when the app connects sends the outbox all the same, once it can mark rows', async () => {
  const tab = await signedIn();
  server.reachable = false;
  server.live()!.drop();
  expect(await tab.client.send(LOBBY, 'waits')).toEqual({ ok: true });
  faults.quota(0);
  server.reachable = true;
  await tab.untilPassing('said', () => tab.signedIn().storage === 'full');
  await tab.untilPassing('live', () => tab.signedIn().connection.tag === 'live');
  faults.quota(undefined);
  await shows(tab, ['waits']);
  await tab.untilPassing('room again', () => tab.signedIn().storage === 'ok');
});

test('O4 a device without space for the first welcome stays live, says so, and has everything once there is space', async () => {
  const tab = start();
  await until('signed out', () => tab.app().tag === 'signed-out');
  server.write(mint(), 'before');
  expect(await tab.client.signIn('Mika')).toEqual({ ok: true });
  faults.quota(0);
  await tab.untilPassing('said', () => tab.signedIn().storage === 'full');
  expect(tab.signedIn().rooms).toEqual([]);
  const sockets = server.sockets.length;
  for (let i = 0; i < 10; i++) {
    server.write(mint(), `meanwhile ${i}`);
    tab.clock.pass(1_000);
    await turns(10);
    expect(tab.signedIn()).toMatchObject({ storage: 'full', connection: { tag: 'live' } });
  }
  expect(server.sockets).toHaveLength(sockets);
  const noRoom = { ok: false, reason: { code: 'storage-full' } };
  expect(await tab.client.send(LOBBY, 'too much')).toEqual(noRoom);
  expect(await tab.client.ask('createRoom', 'Another', 'public')).toMatchObject(noRoom);
  faults.quota(undefined);
  await tab.untilPassing('room again', () => tab.signedIn().storage === 'ok');
  await tab.untilPassing('its rooms', () => tab.signedIn().rooms.length === 1);
  await look(tab);
  await tab.untilPassing('all of it', () => tab.read(LOBBY).length === 11);
});

test('O2 a device with too little space for the new messages sends the outbox meanwhile', async () => {
  const tab = await signedIn();
  server.reachable = false;
  server.live()!.drop();
  expect(await tab.client.send(LOBBY, 'waits')).toEqual({ ok: true });
  for (let i = 0; i < 40; i++) {
    const id = mint();
    server.rooms.set(id, { id, name: `Room ${i}`, log: [] });
  }
  faults.quota(1_500);
  server.mute = true;
  server.reachable = true;
  await tab.untilPassing('said', () => tab.signedIn().storage === 'full');
  await tab.untilPassing('sent', () => bodies().length === 1);
  expect(tab.signedIn()).toMatchObject({ storage: 'full', connection: { tag: 'live' } });
  faults.quota(undefined);
  await tab.untilPassing('all that is new', () => tab.signedIn().rooms.length === 41);
});

test('O4 O3 an acknowledgement that cannot be stored on a full device: the message is not shown as sent, and is sent once', async () => {
  const tab = await signedIn();
  let answer = () => {};
  server.intercept = (event, _, __, handle) => {
    if (event !== 'append') return false;
    answer = handle;
    return true;
  };
  server.mute = true;
  expect(await tab.client.send(LOBBY, 'once')).toEqual({ ok: true });
  await until('sending', () => tab.read(LOBBY)[0] === 'once (sending)');
  faults.quota(0);
  server.intercept = () => false;
  answer();
  await until('said', () => tab.signedIn().storage === 'full');
  expect(tab.read(LOBBY)[0]).not.toBe('once');
  faults.quota(undefined);
  await shows(tab, ['once']);
  expect(bodies()).toEqual(['once']);
  await until('nothing waits', () => tab.signedIn().waiting === 0);
});

test('O4 on a full device stored messages are evicted in favour of the outbox', async () => {
  const tab = await signedIn();
  for (let i = 0; i < 200; i++) server.write(mint(), `${i} ${'-'.repeat(200)}`);
  await tab.untilPassing('held', () => tab.read(LOBBY).at(-1)?.startsWith('199') === true);
  faults.quota(0);
  expect(await tab.client.send(LOBBY, 'there is room for this')).toEqual({ ok: true });
  const held = (await readAll(browser.indexedDB, me(), 'log')) as { serverOffset: number }[];
  expect(held.length).toBeLessThan(200);
  expect(held.length).toBeGreaterThanOrEqual(50);
  expect(await readAll(browser.indexedDB, me(), 'logSpans')).toEqual([
    expect.objectContaining({ from: held[0]!.serverOffset, to: held.at(-1)!.serverOffset }),
  ]);
  await tab.untilPassing('sent', () => bodies().at(-1) === 'there is room for this');
});

test('O4 a database that hangs at the start is reported and opened again', async () => {
  const tab = start();
  faults.hangOpen(true);
  const again = openTab();
  await again.untilPassing('said', () => again.app().tag === 'storage');
  expect(again.app()).toEqual({ tag: 'storage', reason: { code: 'storage-failed' } });
  faults.hangOpen(false);
  await again.untilPassing('there by itself', () => again.app().tag === 'signed-out');
  await tab.untilPassing('the other too', () => tab.app().tag === 'signed-out');
});

test('O4 a newer version of the app has upgraded the database: this one says that it has to be updated', async () => {
  const tab = await signedIn();
  tab.kill();
  const newer = browser.indexedDB.open(me(), 99);
  await new Promise((resolve) => {
    newer.onsuccess = resolve;
  });
  newer.result.close();
  const again = openTab();
  await until('said', () => again.app().tag === 'storage');
  expect(again.app()).toEqual({ tag: 'storage', reason: { code: 'upgrade-required' } });
});

test('O4 a tab with an older version that does not close the database is waited for', async () => {
  const tab = await signedIn();
  tab.kill();
  await new Promise((resolve) => {
    browser.indexedDB.deleteDatabase(me()).onsuccess = resolve;
  });
  const older = browser.indexedDB.open(me(), 1);
  older.onupgradeneeded = () => {
    const db = older.result;
    for (const name of ['rooms', 'users']) db.createObjectStore(name, { keyPath: 'id' });
    const rows = db.createObjectStore('rows', { keyPath: 'seq', autoIncrement: true });
    for (const name of ['clientOffset', 'room']) rows.createIndex(name, name);
    for (const name of ['entries', 'loose'])
      db.createObjectStore(name, { keyPath: ['room', 'serverOffset'] }).createIndex('target', [
        'room',
        'target',
      ]);
    db.createObjectStore('spans', { keyPath: ['room', 'from'] });
    db.createObjectStore('drafts', { keyPath: 'room' });
    db.createObjectStore('meta');
  };
  await new Promise((resolve) => {
    older.onsuccess = resolve;
  });
  const again = openTab();
  await again.untilPassing('said', () => again.app().tag === 'storage');
  older.result.close();
  await again.untilPassing('opened by itself', () => again.app().tag === 'signed-in');
  await again.untilLive();
});

test.each([2.9, 3.1, 6.1])(
  'O4 a database that hangs for %s s stores a message once, or the app says that it was not stored',
  async (seconds) => {
    const tab = await signedIn();
    faults.hangRequests(true);
    const sending = tab.client.send(LOBBY, 'once');
    for (let ms = 0; ms < seconds * 1_000; ms += 100) {
      tab.clock.pass(100);
      await turns(3);
    }
    faults.hangRequests(false);
    const outcome = await passingUntilDone(tab, sending);
    expect(outcome.ok).toBe(seconds < 2 * (DATABASE_TIMEOUT_MS / 1_000));
    await tab.untilPassing('nothing waits', () => tab.signedIn().waiting === 0);
    for (let i = 0; i < 20; i++) {
      tab.clock.pass(1_000);
      await turns(5);
    }
    expect(bodies()).toEqual(outcome.ok ? ['once'] : []);
  },
);

test('O3 O4 a write that timed out but was stored is not repeated by a second tap; the same text later is another message', async () => {
  const tab = await signedIn();
  tab.client.saveDraft(LOBBY, 'once');
  await turns();
  faults.lateCommits(true);
  const first = await passingUntilDone(tab, tab.client.send(LOBBY, 'once'));
  expect(first).toEqual({ ok: false, reason: { code: 'storage-failed' } });
  expect(
    await passingUntilDone(
      tab,
      tab.client.draft(LOBBY).catch(() => 'cannot be read'),
    ),
  ).toBeDefined();
  faults.lateCommits(false);
  await tab.untilPassing('written after all', () => bodies().length === 1);
  expect(await passingUntilDone(tab, tab.client.send(LOBBY, 'once'))).toEqual({ ok: true });
  tab.client.saveDraft(LOBBY, ''); // the composer is empty now
  await tab.untilPassing('nothing waits', () => tab.signedIn().waiting === 0);
  expect(bodies()).toEqual(['once']);
  expect(await passingUntilDone(tab, tab.client.send(LOBBY, 'once'))).toEqual({ ok: true });
  await shows(tab, ['once', 'once']);
  expect(bodies()).toEqual(['once', 'once']);
});

test('O3 a write that timed out but was stored and sent is not queued again by a second tap', async () => {
  const tab = await signedIn();
  faults.lateCommits(true);
  const first = await passingUntilDone(tab, tab.client.send(LOBBY, 'once'));
  expect(first.ok).toBe(false);
  faults.lateCommits(false);
  await shows(tab, ['once']);
  const queued = () => readAll(browser.indexedDB, me(), 'rows');
  expect(await queued()).toEqual([]);
  server.reachable = false;
  server.live()?.drop();
  expect(await passingUntilDone(tab, tab.client.send(LOBBY, 'once'))).toEqual({ ok: true });
  expect(await queued()).toEqual([]);
  expect(tab.read(LOBBY)).toEqual(['once']);
});

test('O4 a write that timed out but was stored, then deleted from the composer: the same text typed later is another message', async () => {
  const tab = await signedIn();
  tab.client.saveDraft(LOBBY, 'ok');
  await turns();
  faults.lateCommits(true);
  expect(await passingUntilDone(tab, tab.client.send(LOBBY, 'ok'))).toMatchObject({ ok: false });
  faults.lateCommits(false);
  await shows(tab, ['ok']);
  tab.client.saveDraft(LOBBY, '');
  tab.client.saveDraft(LOBBY, 'ok');
  expect(await passingUntilDone(tab, tab.client.send(LOBBY, 'ok'))).toEqual({ ok: true });
  await shows(tab, ['ok', 'ok']);
  expect(bodies()).toEqual(['ok', 'ok']);
});

test('O4 a text that could not be queued is a draft again', async () => {
  const tab = await signedIn();
  tab.client.saveDraft(LOBBY, 'kept');
  await until('kept', () => tab.signedIn().rooms[0]!.draft === 'kept');
  faults.quota(0);
  expect(await tab.client.send(LOBBY, 'kept')).toMatchObject({ ok: false });
  faults.quota(undefined);
  tab.clock.pass(RETRY_MAX_MS);
  await turns();
  tab.kill();
  const again = openTab();
  await until('signed in', () => again.app().tag === 'signed-in');
  expect(await again.client.draft(LOBBY)).toBe('kept');
});

test('O4 the database handle is closed by the browser between any two steps', async () => {
  for (let at = 1; at <= 60; at += 1) {
    const tab = await signedIn();
    tab.client.saveDraft(LOBBY, 'one');
    faults.onStep((count) => {
      if (count === at) faults.killHandles();
    });
    const outcomes = await Promise.all([
      passingUntilDone(tab, tab.client.send(LOBBY, 'one')),
      passingUntilDone(tab, tab.client.send(LOBBY, 'two')),
    ]);
    faults.onStep(undefined);
    expect(outcomes, `killed at step ${at}`).toEqual([{ ok: true }, { ok: true }]);
    await shows(tab, ['one', 'two']);
    expect(bodies(), `killed at step ${at}`).toEqual(['one', 'two']);
    tab.kill();
  }
});

test('O4 a browser that deletes the storage under the open app: the app says so, keeps the drafts, and goes on', async () => {
  const tab = await signedIn();
  server.write(mint(), 'before');
  await shows(tab, ['before']);
  tab.client.saveDraft(LOBBY, 'half a sen');
  await turns();
  await faults.deleteAll();
  await tab.untilPassing('said', () => tab.signedIn().storage === 'emptied');
  tab.says('visible');
  await shows(tab, ['before']);
  expect(tab.app().tag).toBe('signed-in');
  expect(await tab.client.send(LOBBY, 'after')).toEqual({ ok: true });
  await shows(tab, ['before', 'after']);
  tab.client.retryStorage();
  await until('seen', () => tab.signedIn().storage === 'ok');
  tab.kill();
  const again = openTab();
  await until('signed in', () => again.app().tag === 'signed-in');
  expect(await again.client.draft(LOBBY)).toBe('half a sen');
});

test('O4 a draft is stored at once, then at intervals with the latest last, and completely before the page may be closed', async () => {
  const tab = await signedIn();
  let writes = 0;
  const transaction = vi.spyOn(IDBObjectStore.prototype, 'put');
  for (let i = 1; i <= 100; i++) {
    tab.client.saveDraft(LOBBY, 'x'.repeat(i));
    tab.clock.pass(100);
    await turns(8);
  }
  writes = transaction.mock.calls.filter(([value]) => 'text' in (value as object)).length;
  expect(writes).toBeGreaterThanOrEqual(10_000 / (DRAFT_WITHIN_MS + 100));
  expect(writes).toBeLessThanOrEqual(2 + 10_000 / DRAFT_WITHIN_MS);
  tab.client.saveDraft(LOBBY, 'the last of it');
  tab.says('pagehide');
  await until('kept', async () =>
    (await readAll(browser.indexedDB, me(), 'drafts')).some(
      (draft) => (draft as { text: string }).text === 'the last of it',
    ),
  );
});
