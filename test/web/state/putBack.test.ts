/** The server's data was put back to a copy from before a user signed up: their app signs up again and inherits the outbox. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { directRoomOf } from '../../../shared/directPair.ts';
import { LOBBY } from '../../../shared/mint.ts';
import { deviceClock } from '../../../web/db/clock.ts';
import { openUserDatabase } from '../../../web/db/userDatabase.ts';
import { enqueue } from '../../../web/outbox/enqueue.ts';
import { inherit } from '../../../web/state/inherit.ts';
import { type FaultyIndexedDB, faultyIndexedDB } from '../../support/faultyIndexedDB.ts';
import { turns, until } from '../db/until.ts';
import { newItemOf } from '../outbox/support.ts';
import { type Browser, createBrowser, readAll, type Tab } from './browser.ts';
import { createModelServer, type ModelServer, mint } from './modelServer.ts';

let server: ModelServer;
let browser: Browser;
let faults: FaultyIndexedDB;
const tabs: Tab[] = [];

beforeEach(() => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  server = createModelServer();
  browser = createBrowser(server);
  faults = faultyIndexedDB(browser.indexedDB);
});

afterEach(() => {
  for (const tab of tabs.splice(0)) tab.kill();
  vi.restoreAllMocks();
});

async function openTab(): Promise<Tab> {
  const tab = browser.openTab({ indexedDB: faults.indexedDB });
  tabs.push(tab);
  await until('it shows something', () => tab.app().tag === 'signed-out' || tab.app().tag === 'signed-in');
  return tab;
}

async function look(tab: Tab): Promise<void> {
  tab.look(LOBBY);
  await until('the conversation is read', () => !tab.conversation(LOBBY).loading);
}

const bodies = () => server.rooms.get(LOBBY)!.log.map((entry) => ('body' in entry ? entry.body : entry.kind));
const connection = (tab: Tab) =>
  tab.app().tag === 'signed-in' ? tab.signedIn().connection.tag : `app: ${tab.app().tag}`;
const isTold = (tab: Tab) => tab.untilPassing('it is told', () => connection(tab) === 'user-unknown');
const shows = (tab: Tab, messages: string[]) =>
  tab.untilPassing(`it shows ${messages}`, () => tab.read(LOBBY).join() === messages.join());

/** The server as it was before anybody signed up. */
function putBack(): void {
  server.names.clear();
  server.passwords.clear();
  server.claims.clear();
  server.cookie = undefined;
  server.epoch = mint();
  server.rooms.get(LOBBY)!.log = [];
  server.live()?.drop();
}

/** Ada, with one sent message, two queued ones and a draft. The server can be reached and does not know her. */
async function adaForgotten(): Promise<Tab> {
  const tab = await openTab();
  expect(await tab.client.signIn('Ada')).toEqual({ ok: true });
  await tab.untilLive();
  await look(tab);
  await tab.client.send(LOBBY, 'sent');
  await shows(tab, ['sent']);
  server.intercept = (event) => event === 'append'; // the first one is being sent, the second waits behind it
  for (const body of ['waits 1', 'waits 2']) await tab.client.send(LOBBY, body);
  tab.client.saveDraft(LOBBY, 'half a thought');
  await until('kept', () => tab.signedIn().rooms[0]!.draft === 'half a thought');
  putBack();
  server.intercept = () => false;
  return tab;
}

test('O4 a server that was put back does not know Ada: the app says so and keeps her texts; she signs up under her name and they are sent', async () => {
  const tab = await adaForgotten();
  const old = tab.signedIn().user.id;
  await isTold(tab);
  expect(tab.read(LOBBY).map((text) => text.split(' (')[0])).toEqual(['sent', 'waits 1', 'waits 2']);
  expect(server.names.size).toBe(0); // no user was created without the person
  await tab.client.send(LOBBY, 'waits 3');

  expect(await tab.client.signIn('Ada')).toEqual({ ok: true });
  await look(tab);
  await shows(tab, ['waits 1', 'waits 2', 'waits 3']);
  expect(tab.signedIn().user.id).not.toBe(old);
  expect(bodies()).toEqual(['waits 1', 'waits 2', 'waits 3']);
  expect(await tab.client.draft(LOBBY)).toBe('half a thought');
  for (const store of ['rows', 'drafts', 'log'])
    expect(await readAll(browser.indexedDB, `holdfast:${old}`, store)).toEqual([]);
  tab.kill();
  const again = await openTab();
  await again.untilLive();
  await until('nothing more is looked for', async () => {
    const [session] = await readAll(browser.indexedDB, 'holdfast', 'session');
    return !Object.hasOwn(session as object, 'heirOf');
  });
  expect(bodies()).toHaveLength(3);
});

test('O1 O2 O4 killed after any step of the inheritance: each row is sent once, in order, and the draft is kept', async () => {
  for (let at = 1, killed = true; killed; at++) {
    server = createModelServer();
    browser = createBrowser(server);
    faults = faultyIndexedDB(browser.indexedDB);
    const tab = await adaForgotten();
    await isTold(tab);
    killed = false;
    let done = false;
    faults.onStep((count) => {
      if (count !== at) return;
      killed = true;
      faults.hangOpen(true);
      faults.hangRequests(true);
      faults.killHandles();
    });
    void tab.client.signIn('Ada').finally(() => {
      done = true;
    });
    await tab.untilPassing('killed or done', () => killed || done);
    tab.kill();
    await turns(); // a handle that was just being opened does not block anybody either
    faults.killHandles();
    faults = faultyIndexedDB(browser.indexedDB); // that of the killed tab never continues
    const again = await openTab();
    await again.untilPassing('told, or in', () => ['user-unknown', 'live'].includes(connection(again)));
    if (connection(again) === 'user-unknown') expect(await again.client.signIn('Ada')).toEqual({ ok: true });
    await look(again);
    await shows(again, ['waits 1', 'waits 2']);
    expect([at, ...bodies()]).toEqual([at, 'waits 1', 'waits 2']);
    expect(await again.client.draft(LOBBY)).toBe('half a thought');
    expect(server.names.size).toBe(1);
    again.kill();
    if (!killed) expect(at).toBeGreaterThan(40);
  }
});

test('O5 a user who signed out has no heir, not even under the same name', async () => {
  const tab = await adaForgotten();
  await isTold(tab);
  const old = tab.signedIn().user.id;
  expect(await tab.client.signOut()).toEqual({ ok: true });
  for (const name of ['Ada', 'Eve']) {
    expect(await tab.client.signIn(name)).toEqual({ ok: true });
    await tab.untilLive();
    await look(tab);
    await turns(100);
    expect(tab.read(LOBBY)).toEqual([]);
    expect(await tab.client.draft(LOBBY)).toBe('');
    await tab.client.signOut();
  }
  expect(bodies()).toEqual([]);
  expect(await readAll(browser.indexedDB, `holdfast:${old}`, 'rows')).toHaveLength(2);
});

test('O4 O5 her name is taken: she signs up under another name and they are sent; an existing user does not inherit by a password', async () => {
  const tab = await adaForgotten();
  const [other, bob] = [mint(), mint()];
  for (const [id, name] of [
    [other, 'Ada'],
    [bob, 'Bob'],
  ] as const) {
    server.names.set(id, name);
    server.passwords.set(id, 'secret');
  }
  await isTold(tab);
  for (const [name, password] of [['Ada'], ['Ada', 'guess'], ['Bob', 'secret']] as const)
    expect(await tab.client.signIn(name, password)).toMatchObject({ ok: false });
  expect(connection(tab)).toBe('user-unknown');
  expect(tab.signedIn().waiting).toBe(2);
  expect(await tab.client.signIn('Ada of the harbour')).toEqual({ ok: true });
  await look(tab);
  await shows(tab, ['waits 1', 'waits 2']);
  expect(server.cookie!.name).toBe('Ada of the harbour');
  expect(bodies()).toEqual(['waits 1', 'waits 2']);
});

test('O4 her other device signed up first: by the password that it set she is that user, and inherits her outbox here', async () => {
  const tab = await adaForgotten();
  const made = mint();
  server.names.set(made, 'Ada');
  server.passwords.set(made, 'secret');
  await isTold(tab);
  expect(await tab.client.signIn('Ada')).toMatchObject({ ok: false, reason: { code: 'conflict' } });
  expect(await tab.client.signIn('Ada', 'secret')).toEqual({ ok: true });
  await look(tab);
  await shows(tab, ['waits 1', 'waits 2']);
  expect(tab.signedIn().user.id).toBe(made);
});

test('S5 O4 the rows of two tabs are inherited, once each', async () => {
  const tab = await adaForgotten();
  const other = await openTab();
  await look(other);
  for (const each of [tab, other]) await isTold(each);
  await other.client.send(LOBBY, 'waits 3');
  other.client.saveDraft(LOBBY, 'a whole thought');
  expect(await tab.client.signIn('Ada')).toEqual({ ok: true });
  for (const each of [tab, other]) {
    await each.untilLive();
    await look(each);
    await shows(each, ['waits 1', 'waits 2', 'waits 3']);
    expect(await each.client.draft(LOBBY)).toBe('a whole thought');
  }
  expect(bodies()).toEqual(['waits 1', 'waits 2', 'waits 3']);
});

test('O3 O4 an edit of a text that the server lost is kept as not sent; a deletion of it has nothing to delete', async () => {
  const tab = await adaForgotten();
  await isTold(tab);
  await tab.client.signIn('Ada');
  await look(tab);
  await shows(tab, ['waits 1', 'waits 2']);
  const [first, second] = tab.conversation(LOBBY).messages;
  server.reachable = false;
  server.live()!.drop();
  await tab.untilPassing('no way', () => connection(tab) !== 'live');
  await tab.client.edit(LOBBY, first!.clientOffset, 'waits 1, changed');
  await tab.client.remove(LOBBY, second!.clientOffset);
  await tab.client.send(LOBBY, 'waits 3');
  const [own] = tab.conversation(LOBBY).messages.slice(-1);
  await tab.client.edit(LOBBY, own!.clientOffset, 'waits 3, changed');
  putBack();
  server.reachable = true;
  tab.says('online');
  await isTold(tab);
  await tab.client.signIn('Ada');
  await look(tab);
  await shows(tab, ['waits 3, changed', 'waits 1, changed (not-sent)']);
  expect(tab.conversation(LOBBY).messages.at(-1)!.status).toMatchObject({ reason: { code: 'not-found' } });
  expect(bodies()).toEqual(['waits 3, changed']);
});

test('O4 a room that the server does not have any more is still listed, with the texts that were written in it', async () => {
  server.features = ['create'];
  const tab = await openTab();
  await tab.client.signIn('Ada');
  await tab.untilLive();
  const made = await tab.client.ask('createRoom', 'Harbour', 'public');
  const room = made.ok ? made.room! : '';
  await tab.untilPassing('made', () => tab.signedIn().rooms.some(({ id, making }) => id === room && !making));
  server.reachable = false;
  server.live()!.drop();
  await tab.client.send(room, 'to the harbour');
  server.rooms.delete(room);
  putBack();
  server.reachable = true;
  tab.says('online');
  await isTold(tab);
  await tab.client.signIn('Ada');
  await tab.untilLive();
  await tab.untilPassing('it is refused', () =>
    tab.signedIn().rooms.some(({ id, notSent, member }) => id === room && notSent === 1 && !member),
  );
  tab.look(room);
  await until('it shows', () => tab.read(room).join() === 'to the harbour (not-sent)');
});

test('O2 a room that was not made yet is made after a restored backup, by the new user, with what was written in it', async () => {
  server.features = ['create'];
  const tab = await openTab();
  await tab.client.signIn('Ada');
  await tab.untilLive();
  server.reachable = false;
  server.live()!.drop();
  const made = await tab.client.ask('createRoom', 'Harbour', 'public');
  const room = made.ok ? made.room! : '';
  await tab.client.send(room, 'to the harbour');
  putBack();
  server.reachable = true;
  tab.says('online');
  await isTold(tab);
  await tab.client.signIn('Ada');
  await tab.untilLive();
  tab.look(room);
  await tab.untilPassing('it is sent', () => tab.read(room).join() === 'to the harbour');
  expect(server.rooms.get(room)!.log.map(({ kind, author }) => [kind, author])).toEqual(
    ['create', 'text'].map((kind) => [kind, tab.signedIn().user.id]),
  );
});

test('O2 a lost answer is requested again: the app says the same', async () => {
  const tab = await adaForgotten();
  const real = server.fetch;
  let lost = 3;
  const asked: string[] = [];
  server.fetch = async (input, init) => {
    asked.push(`${init?.method}`);
    if (lost-- > 0) throw new TypeError('Failed to fetch');
    return real(input, init);
  };
  tab.kill();
  const again = await openTab();
  await isTold(again);
  expect(asked.filter((method) => method === 'POST').length).toBeGreaterThanOrEqual(4);
  expect(server.names.size).toBe(0);
});

test('a sign-in with a password before the app knows creates no new user of the name', async () => {
  const tab = await adaForgotten();
  const real = server.fetch;
  let deaf = true;
  server.fetch = async (input, init) => {
    if (deaf && !String(init?.body).includes('password')) throw new TypeError('Failed to fetch');
    return real(input, init);
  };
  tab.kill();
  const again = await openTab();
  await again.untilPassing('signed out', () => connection(again) === 'signed-out');
  expect(await again.client.signIn('Ada', 'secret')).toMatchObject({ reason: { code: 'not-found' } });
  expect(server.names.size).toBe(0);
  deaf = false;
  await isTold(again);
});

test('the newer data is put back again: she is the old user, and nothing was moved', async () => {
  const tab = await adaForgotten();
  const { user } = tab.signedIn();
  await isTold(tab);
  server.names.set(user.id, 'Ada');
  server.cookie = user;
  expect(await tab.client.signIn('Ada')).toMatchObject({ ok: false, reason: { code: 'conflict' } });
  await tab.untilLive();
  expect(tab.signedIn().user).toEqual(user);
  await shows(tab, ['waits 1', 'waits 2']);
});

test('O4 what waits in a direct conversation waits in that of the heir with the same person; the notebook stays one', async () => {
  const [of, heir, lin] = ['A', 'B', 'C'].map((letter) => letter.padEnd(22, 'A')) as [string, string, string];
  const databases = new IDBFactory();
  const before = openUserDatabase(databases, deviceClock, of);
  for (const other of [lin, of]) {
    const room = directRoomOf(of, other);
    await enqueue(before, newItemOf({ room, clientOffset: mint(), kind: 'text', body: `to ${other}` }));
    const record = { id: room, kind: 'direct' as const, name: 'Lin', head: 3, readUpTo: 0, members: 2 };
    await before.write(['rooms', 'drafts'], async (tx) => {
      await tx.objectStore('rooms').put(record);
      await tx.objectStore('drafts').put({ room, text: 'and' });
    });
  }
  before.close();
  expect(await inherit(databases, deviceClock, { of, heir })).toBe(true);
  const after = openUserDatabase(databases, deviceClock, heir);
  const [rows, rooms, drafts] = await after.read(['rows', 'rooms', 'drafts'], (tx) =>
    Promise.all([
      tx.objectStore('rows').getAll(),
      tx.objectStore('rooms').getAllKeys(),
      tx.objectStore('drafts').getAllKeys(),
    ]),
  );
  after.close();
  const theirs = [directRoomOf(heir, lin), directRoomOf(heir, heir)];
  expect(rows.map(({ room, body }) => [room, body])).toEqual([
    [theirs[0], `to ${lin}`],
    [theirs[1], `to ${of}`],
  ]);
  expect(rooms.toSorted()).toEqual(theirs.toSorted());
  expect(drafts.toSorted()).toEqual(theirs.toSorted());
});
