import { afterEach, expect, test, vi } from 'vitest';
import { LOBBY } from '../../../shared/mint.ts';
import { WINDOW_MAX_LINES, WINDOW_STEP_LINES } from '../../../web/records/pageLimits.ts';
import type { Deps } from '../../../web/state/deps.ts';
import { turns, until } from '../db/until.ts';
import { type Browser, createBrowser, readAll, type Tab } from './browser.ts';
import { createModelServer, type ModelServer, mint } from './modelServer.ts';

let server: ModelServer;
let browser: Browser;
const tabs: Tab[] = [];

function openTab(changes: Partial<Deps> = {}): Tab {
  const tab = browser.openTab(changes);
  tabs.push(tab);
  return tab;
}

async function signedIn(name = 'Mika', features: string[] = []): Promise<Tab> {
  server = createModelServer();
  server.features = features;
  browser = createBrowser(server);
  const tab = openTab();
  await until('signed out', () => tab.app().tag === 'signed-out');
  expect(await tab.client.signIn(name)).toEqual({ ok: true });
  await tab.untilLive();
  tab.look(LOBBY);
  await until('the conversation is read', () => !tab.conversation(LOBBY).loading);
  return tab;
}

const shows = (tab: Tab, messages: string[]) =>
  tab.untilPassing(
    `it shows ${messages.join(', ')}`,
    () => JSON.stringify(tab.read(LOBBY)) === JSON.stringify(messages),
  );

const bodies = () => server.rooms.get(LOBBY)!.log.map((entry) => ('body' in entry ? entry.body : entry.kind));

afterEach(() => {
  for (const tab of tabs.splice(0)) tab.kill();
});

test('a message is shown, sent, and told to others', async () => {
  const tab = await signedIn();
  expect(await tab.client.send(LOBBY, '  hello\r\nyou\u0007 ')).toEqual({ ok: true });
  await shows(tab, ['  hello\nyou']);
  expect(bodies()).toEqual(['  hello\nyou']);
  server.names.set('x', 'Lin');
  server.write(mint(), 'hi');
  await shows(tab, ['  hello\nyou', 'hi']);
  await until('the list of rooms follows', () => tab.signedIn().rooms[0]!.last?.text === 'hi');
  expect(tab.signedIn().rooms[0]).toMatchObject({
    id: LOBBY,
    name: 'Lobby',
    waiting: 0,
    last: { text: 'hi', mine: false },
  });
  expect(browser.persisted).toBe(1);
  const empty = { ok: false, reason: { code: 'empty' } };
  for (const nothing of [' \n\u0007', '\u2800', '\u200b\ufe0f']) {
    expect(await tab.client.send(LOBBY, nothing)).toEqual(empty);
    expect(await tab.client.edit(LOBBY, 'a key', nothing)).toEqual(empty);
    expect(await tab.client.amend('a key', nothing)).toEqual(empty);
  }
});

test('O1 O2 messages written offline outlive the tab, are shown without a network, and are sent in order without the person', async () => {
  const tab = await signedIn();
  server.reachable = false;
  server.live()!.drop();
  for (const body of ['a', 'b', 'c']) expect(await tab.client.send(LOBBY, body)).toEqual({ ok: true });
  expect(tab.read(LOBBY)).toEqual(['a (queued)', 'b (queued)', 'c (queued)']);
  tab.kill();

  const again = openTab();
  await until('signed in', () => again.app().tag === 'signed-in');
  again.look(LOBBY);
  await until('shown', () => again.read(LOBBY).length === 3);
  expect(again.read(LOBBY)).toEqual(['a (queued)', 'b (queued)', 'c (queued)']);
  expect(again.signedIn().waiting).toBe(3);
  await again.untilPassing('offline', () => again.signedIn().connection.tag === 'offline');
  server.reachable = true;
  await shows(again, ['a', 'b', 'c']);
  expect(bodies()).toEqual(['a', 'b', 'c']);
  await until('nothing waits', () => again.signedIn().waiting === 0);
});

test('O3 L3 a lost acknowledgement: the message is checking, then sent by its echo, as one entry', async () => {
  const tab = await signedIn();
  server.mute = true;
  server.intercept = (event, _, __, handle) => {
    if (event !== 'append') return false;
    server.intercept = () => false;
    handle();
    server.live()!.drop();
    server.reachable = false;
    return true;
  };
  // the server appended, and its answer is lost with the connection
  await tab.client.send(LOBBY, 'once');
  await until('written', () => bodies().length === 1);
  server.live()?.drop();
  await tab.untilPassing(
    'checking or sent',
    () => tab.read(LOBBY)[0] !== 'once (sending)' && tab.read(LOBBY)[0] !== 'once (queued)',
  );
  server.mute = false;
  server.reachable = true;
  await shows(tab, ['once']);
  expect(bodies()).toEqual(['once']);
});

test('O3 without a connection, a message whose acknowledgement was lost stays checking', async () => {
  const tab = await signedIn();
  server.intercept = (event) => event === 'append';
  await tab.client.send(LOBBY, 'who knows');
  await until('sending', () => tab.read(LOBBY)[0] === 'who knows (sending)');
  server.reachable = false;
  server.live()!.drop();
  await until('checking', () => tab.read(LOBBY)[0] === 'who knows (checking)');
  server.intercept = () => false;
  server.reachable = true;
  await shows(tab, ['who knows']);
});

test('O3 a tab that is killed while it sends leaves rows that are checked', async () => {
  const tab = await signedIn();
  server.intercept = (event) => event === 'append';
  await tab.client.send(LOBBY, 'cut off');
  await until('sending', () => tab.read(LOBBY)[0] === 'cut off (sending)');
  tab.kill();
  server.reachable = false;
  const again = openTab();
  await until('signed in', () => again.app().tag === 'signed-in');
  again.look(LOBBY);
  await until('checking', () => again.read(LOBBY)[0] === 'cut off (checking)');
  server.intercept = () => false;
  server.reachable = true;
  await shows(again, ['cut off']);
  expect(bodies()).toEqual(['cut off']);
});

test('S4 after an append without an answer the connection is probed, and the append is sent again over a new one', async () => {
  const tab = await signedIn();
  const dead = server.live()!;
  server.intercept = () => true; // open, but dead
  await tab.client.send(LOBBY, 'into the void');
  await until('sending', () => tab.read(LOBBY)[0] === 'into the void (sending)');
  await tab.untilPassing('a new connection', () => {
    if (server.live() !== dead) server.intercept = () => false;
    return server.live() !== dead;
  });
  await shows(tab, ['into the void']);
  expect(bodies()).toEqual(['into the void']);
});

test('L5 O4 a refused message is parked with its reason and blocks no other; edited, it is sent', async () => {
  const tab = await signedIn();
  server.refuse.set('bad', { code: 'forbidden', message: 'Not that.' });
  await Promise.all(['one', 'bad', 'two'].map((body) => tab.client.send(LOBBY, body)));
  await shows(tab, ['one', 'two', 'bad (not-sent)']);
  const parked = tab.conversation(LOBBY).messages.at(-1)!;
  expect(parked.status).toEqual({ tag: 'not-sent', reason: { code: 'forbidden', message: 'Not that.' } });
  await until('the list of rooms follows', () => tab.signedIn().rooms[0]!.notSent === 1);
  expect(tab.signedIn().rooms[0]).toMatchObject({ notSent: 1, waiting: 0 });

  expect(await tab.client.retry(parked.clientOffset)).toEqual({ ok: true });
  await until(
    'sent again',
    () => server.appends.flat().filter((item) => item.kind === 'text' && item.body === 'bad').length === 2,
  );
  await shows(tab, ['one', 'two', 'bad (not-sent)']);
  expect(await tab.client.amend(parked.clientOffset, 'good')).toEqual({ ok: true });
  await shows(tab, ['one', 'two', 'good']);
  expect(await tab.client.retry(parked.clientOffset)).toEqual({ ok: false, reason: { code: 'not-found' } });
});

test('O4 a text that is too long is kept with its reason, and is deleted only by the person', async () => {
  const tab = await signedIn();
  await tab.client.send(LOBBY, 'x'.repeat(9_000));
  const [message] = tab.conversation(LOBBY).messages;
  expect(message!.status).toMatchObject({ tag: 'not-sent', reason: { code: 'too-large' } });
  await tab.client.send(LOBBY, 'after');
  await until('sent', () => bodies().includes('after'));
  expect(await tab.client.discard(message!.clientOffset)).toEqual({ ok: true });
  await shows(tab, ['after']);
});

/** All texts get this answer, whether the server appended them or not. */
function answerTextsWith(code: string, wrote: boolean) {
  server.intercept = (event, payload, ack, handle) => {
    if (event !== 'append' || (payload as { items: { kind: string }[] }).items[0]!.kind !== 'text')
      return false;
    if (wrote) handle();
    ack({ ok: false, error: { code, message: 'a mistake' } });
    return true;
  };
}

test.each([
  ['is not in the log: nothing is left', false, [], 0],
  ['is in the log: it is deleted there', true, ['deleted'], 2],
])(
  'O3 O4 five internal errors park a message; the person deletes it, and it %s',
  async (_, wrote, left, entries) => {
    const tab = await signedIn();
    server.mute = true;
    answerTextsWith('internal', false);
    await tab.client.send(LOBBY, 'maybe');
    await shows(tab, ['maybe (not-sent)']);
    expect(server.appends).toEqual([]);
    const message = tab.conversation(LOBBY).messages[0]!;
    if (wrote)
      server.append(tab.signedIn().user.id, {
        room: LOBBY,
        clientOffset: message.clientOffset,
        kind: 'text',
        body: 'maybe',
      });
    expect(await tab.client.discard(message.clientOffset)).toEqual({ ok: true });
    server.mute = false;
    await tab.untilPassing('answered', () => server.appends.length === 1);
    if (wrote) server.live()!.hear('heads', { [LOBBY]: 2 });
    await shows(tab, left);
    expect(bodies()).toHaveLength(entries);
    await until(
      'nothing waits',
      () => tab.signedIn().waiting === 0 && tab.signedIn().rooms[0]!.notSent === 0,
    );
  },
);

test('O4 a message that may be in the log already is edited by an edit behind it', async () => {
  const tab = await signedIn();
  answerTextsWith('internal', false);
  await tab.client.send(LOBBY, 'maybe');
  await shows(tab, ['maybe (not-sent)']);
  server.intercept = () => false;
  expect(await tab.client.amend(tab.conversation(LOBBY).messages[0]!.clientOffset, 'surely')).toEqual({
    ok: true,
  });
  await shows(tab, ['surely']);
  expect(bodies()).toEqual(['maybe', 'surely']);
});

test('after a conflict the message is sent once under a new key', async () => {
  const tab = await signedIn();
  let refused = 0;
  server.intercept = (event, payload, ack) => {
    if (event !== 'append' || refused++ > 0) return false;
    const [{ clientOffset }] = (payload as { items: [{ clientOffset: string }] }).items;
    ack({
      ok: true,
      epoch: server.epoch,
      results: [{ clientOffset, error: { code: 'conflict', message: '' } }],
    });
    return true;
  };
  await tab.client.send(LOBBY, 'again');
  await shows(tab, ['again']);
  expect(refused).toBe(2);
});

test('S1 S2 a live frame that leaves a hole causes a range request', async () => {
  const tab = await signedIn();
  const lin = mint();
  server.write(lin, '1');
  server.mute = true;
  server.write(lin, '2');
  server.write(lin, '3');
  server.mute = false;
  server.write(lin, '4');
  await shows(tab, ['1', '2', '3', '4']);
  expect(await readAll(browser.indexedDB, `holdfast:${tab.signedIn().user.id}`, 'logSpans')).toEqual([
    { room: LOBBY, from: 1, to: 4, amendedTo: 4 },
  ]);
});

test('S2 a live frame that overtakes an announced catch-up opens no span: the entries before it are fetched', async () => {
  const tab = await signedIn();
  const lin = mint();
  server.mute = true;
  for (const body of ['1', '2', '3']) server.write(lin, body);
  const { log } = server.rooms.get(LOBBY)!;
  const about = { id: LOBBY, kind: 'public', name: 'Lobby', members: 2, readUpTo: 0 };
  server.live()!.hear('welcome', {
    protocol: 1,
    epoch: server.epoch,
    now: 1,
    user: tab.signedIn().user,
    rooms: [{ ...about, head: 3, from: 1 }],
  });
  server.live()!.hear('entries', { room: LOBBY, entries: log.slice(2), users: {} });
  await shows(tab, ['1', '2', '3']);
});

test('S2 heads cause a lost frame to be fetched', async () => {
  const tab = await signedIn();
  server.mute = true;
  server.write(mint(), 'unheard');
  server.live()!.hear('heads', { [LOBBY]: 1 });
  await shows(tab, ['unheard']);
});

test('S3 after a long absence the newest entries come first; the gap before them is filled when it is on the screen', async () => {
  const tab = await signedIn();
  const lin = mint();
  for (let i = 1; i <= 5; i++) server.write(lin, `${i}`);
  await until('held', () => tab.read(LOBBY).length === 5);
  server.reachable = false;
  server.live()!.drop();
  for (let i = 6; i <= 400; i++) server.write(lin, `${i}`);
  server.amend('delete', 3);
  server.reachable = true;
  await tab.untilLive();
  await until('the newest', () => {
    tab.client.toNewest(LOBBY); // the window stays with what was read last
    return tab.read(LOBBY).at(-1) === '400';
  });
  expect(tab.read(LOBBY)).toHaveLength(50);
  expect(tab.conversation(LOBBY)).toMatchObject({ atStart: false, atNewest: true });

  const gaps = () => tab.conversation(LOBBY).gaps.map(({ from, to }) => `${from} ${to}`);
  for (let i = 0; i < 40 && !(tab.conversation(LOBBY).atStart && gaps().length === 0); i++) {
    const [gap] = tab.conversation(LOBBY).gaps;
    if (gap) {
      const before = gaps().join();
      tab.client.loadBetween(LOBBY, gap, 'upper');
      await until('filled', () => gaps().join() !== before && tab.conversation(LOBBY).between === 'idle');
      await turns(20);
      continue;
    }
    const first = tab.conversation(LOBBY).messages[0]!.key;
    tab.client.loadOlder(LOBBY, WINDOW_STEP_LINES);
    await until(
      'older',
      () => tab.conversation(LOBBY).messages[0]!.key !== first || tab.conversation(LOBBY).atStart,
    );
    await turns(20);
  }
  expect(tab.conversation(LOBBY).messages.length).toBeLessThanOrEqual(WINDOW_MAX_LINES);
  expect(tab.read(LOBBY).slice(0, 4)).toEqual(['1', '2', 'deleted', '4']);
  const held = (await readAll(browser.indexedDB, `holdfast:${tab.signedIn().user.id}`, 'log')) as {
    body?: string;
  }[];
  expect(held).toHaveLength(401);
  expect(held[2]).not.toHaveProperty('body');

  for (let i = 0; i < 40 && !tab.conversation(LOBBY).atNewest; i++) {
    const last = tab.conversation(LOBBY).messages.at(-1)!.key;
    tab.client.loadNewer(LOBBY, WINDOW_STEP_LINES);
    await until(
      'newer',
      () => tab.conversation(LOBBY).messages.at(-1)!.key !== last || tab.conversation(LOBBY).atNewest,
    );
    await turns(20);
  }
  expect(tab.read(LOBBY).at(-1)).toBe('400');
  tab.client.loadOlder(LOBBY, WINDOW_STEP_LINES);
  await until('among', () => !tab.conversation(LOBBY).atNewest);
  tab.client.loadOlder(LOBBY, WINDOW_STEP_LINES);
  tab.client.toNewest(LOBBY); // the last request wins
  await turns(100);
  expect(tab.conversation(LOBBY)).toMatchObject({ atNewest: true });
  expect(tab.read(LOBBY)).toHaveLength(50);
});

test("S1 after the server's database was put back the logs are read again; the outbox is kept", async () => {
  const tab = await signedIn();
  const lin = mint();
  server.write(lin, 'old 1');
  server.write(lin, 'old 2');
  await shows(tab, ['old 1', 'old 2']);
  server.reachable = false;
  server.live()!.drop();
  await tab.client.send(LOBBY, 'mine');
  server.rooms.get(LOBBY)!.log = [];
  server.write(lin, 'restored');
  server.reachable = true;
  await shows(tab, ['restored', 'mine']);

  server.reachable = false;
  server.live()!.drop();
  server.epoch = 'epoch-2';
  server.rooms.get(LOBBY)!.log = [];
  server.write(lin, 'another');
  server.reachable = true;
  await shows(tab, ['another']);
});

test('edits and deletions of others change the stored messages', async () => {
  const tab = await signedIn();
  const lin = mint();
  server.write(lin, 'one');
  server.write(lin, 'secret');
  server.amend('edit', 1, 'first');
  server.amend('edit', 2, 'secret too');
  await shows(tab, ['first', 'secret too']);
  server.amend('delete', 2);
  await shows(tab, ['first', 'deleted']);
  const held = await readAll(browser.indexedDB, `holdfast:${tab.signedIn().user.id}`, 'log');
  expect(JSON.stringify(held)).not.toContain('secret');
});

test('a sign-up whose answer is lost is repeated with the same claim: one user', async () => {
  server = createModelServer();
  browser = createBrowser(server);
  const real = server.fetch;
  const claims: string[] = [];
  let lost = true;
  server.fetch = async (input, init) => {
    if (init?.method !== 'POST') return real(input, init);
    claims.push(JSON.parse(String(init.body)).claim);
    const response = await real(input, init);
    if (lost) throw new TypeError('Failed to fetch');
    return response;
  };
  const tab = openTab();
  await until('signed out', () => tab.app().tag === 'signed-out');
  expect(await tab.client.signIn('Mika')).toMatchObject({ ok: false, reason: { code: 'unreachable' } });
  tab.kill();
  server.cookie = undefined;
  lost = false;
  const again = openTab();
  await until('signed out', () => again.app().tag === 'signed-out');
  expect(await again.client.signIn('Mika')).toEqual({ ok: true });
  expect(claims[1]).toBe(claims[0]);
  expect(server.names.size).toBe(1);
});

test('O1 a browser that is killed before it wrote its cookie comes back as the same user, and sends the outbox', async () => {
  const tab = await signedIn();
  server.reachable = false;
  await tab.client.send(LOBBY, 'written before the kill');
  tab.kill();
  server.cookie = undefined; // was never written to disk
  server.reachable = true;
  const again = openTab();
  await again.untilLive();
  again.look(LOBBY);
  await again.untilPassing('sent', () => again.read(LOBBY).includes('written before the kill'));
  expect(server.names.size).toBe(1);
});

test('a claim is dropped once the session is confirmed, and by a sign-out', async () => {
  const claims = () => readAll(browser.indexedDB, 'holdfast', 'claims');
  const tab = await signedIn();
  expect(await claims()).toHaveLength(1);
  tab.kill();
  const later = openTab();
  later.clock.pass(61_000);
  await later.untilLive();
  await until('dropped', async () => (await claims()).length === 0);
});

test('what the server knows of the session is asked for again where the answer was lost', async () => {
  const tab = await signedIn();
  const real = server.fetch;
  let lost = 0;
  server.passwords.set(tab.signedIn().user.id, 'secret');
  tab.kill();
  server.fetch = async (path, init) => {
    if (path !== '/api/session' || lost++ > 1) return real(path, init);
    throw new TypeError('Failed to fetch');
  };
  const again = openTab();
  await again.untilLive();
  await again.untilPassing('known', () => again.signedIn().hasPassword === true);
  expect(lost).toBe(3);
});

test('where the session cannot be read, it is asked for some times, one after the other, however often the connection comes back', async () => {
  const tab = await signedIn();
  tab.kill();
  const real = server.fetch;
  let asked = 0;
  server.fetch = async (path, init) => {
    if (path !== '/api/session') return real(path, init);
    asked++;
    throw new TypeError('Failed to fetch');
  };
  const again = openTab();
  const pass = async (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      again.clock.pass(1_000);
      await turns();
    }
  };
  await again.untilLive();
  for (let flaps = 0; flaps < 5; flaps++) {
    await pass(5);
    server.live()!.drop();
    await until('without a connection', () => again.signedIn().connection.tag !== 'live');
    await again.untilLive();
  }
  const before = asked;
  await pass(20);
  expect(again.signedIn().connection.tag).toBe('live');
  expect(asked - before).toBeGreaterThan(2);
  expect(asked - before).toBeLessThanOrEqual(6);
});

test('a taken name and a wrong password are reported, and the answer of a captive portal is ignored', async () => {
  const tab = await signedIn();
  expect(await tab.client.setPassword('secret')).toEqual({ ok: true });
  await until('known', () => tab.signedIn().hasPassword === true);
  expect(await tab.client.signOut()).toEqual({ ok: true });
  expect(tab.app()).toEqual({ tag: 'signed-out' });
  expect(await tab.client.signIn('Mika')).toMatchObject({ ok: false, reason: { code: 'conflict' } });
  expect(await tab.client.signIn('Mika', 'wrong')).toMatchObject({
    ok: false,
    reason: { code: 'unauthorized' },
  });
  expect(await tab.client.signIn(' ')).toEqual({ ok: false, reason: { code: 'empty' } });
  const real = server.fetch;
  server.fetch = async () => new Response('<html>Welcome to the hotel</html>', { status: 200 });
  const other = openTab();
  await until('signed out', () => other.app().tag === 'signed-out');
  expect(await other.client.signIn('Mika', 'secret')).toMatchObject({
    ok: false,
    reason: { code: 'unreachable' },
  });
  server.fetch = real;
  expect(await tab.client.signIn('Mika', 'secret')).toEqual({ ok: true });
});

test('O5 another user on the same browser neither sees nor sends the outbox of the first, who finds it again', async () => {
  const tab = await signedIn();
  await tab.client.setPassword('secret');
  server.intercept = (event) => event === 'append';
  await tab.client.send(LOBBY, 'for later');
  expect(await tab.client.signOut()).toEqual({ ok: true });
  server.intercept = () => false;
  expect(await tab.client.signIn('Lin')).toEqual({ ok: true });
  await tab.untilLive();
  tab.look(LOBBY);
  await until('read', () => !tab.conversation(LOBBY).loading);
  await turns(100);
  expect(tab.read(LOBBY)).toEqual([]);
  expect(bodies()).toEqual([]);
  expect(tab.signedIn().waiting).toBe(0);
  await tab.client.signOut();
  expect(await tab.client.signIn('Mika', 'secret')).toEqual({ ok: true });
  tab.look(LOBBY);
  await shows(tab, ['for later']);
});

test('a sign-out without a network fails and changes nothing', async () => {
  const tab = await signedIn();
  server.reachable = false;
  expect(await tab.client.signOut()).toMatchObject({ ok: false, reason: { code: 'unreachable' } });
  expect(tab.app().tag).toBe('signed-in');
});

test('after a session has ended everything is kept; signing in again sends it', async () => {
  const tab = await signedIn();
  await tab.client.setPassword('secret');
  server.cookie = undefined;
  server.live()!.drop();
  await tab.untilPassing('signed out', () => tab.signedIn().connection.tag === 'signed-out');
  await tab.client.send(LOBBY, 'kept');
  tab.says('visible');
  expect(tab.read(LOBBY)).toEqual(['kept (queued)']);
  expect(await tab.client.signIn('Mika', 'secret')).toEqual({ ok: true });
  await shows(tab, ['kept']);
});

test('somebody signed this device out: it says so, keeps everything, and sends it after the next sign-in', async () => {
  const tab = await signedIn();
  await tab.client.setPassword('secret');
  await tab.client.send(LOBBY, 'before');
  server.claims.clear();
  server.cookie = undefined;
  server.refusal = { reason: 'signed-out' };
  server.live()!.drop();
  const isSignedOut = () => tab.signedIn().connection.tag === 'signed-out';
  await tab.untilPassing('signed out', isSignedOut);
  expect(tab.signedIn().connection).toEqual({ tag: 'signed-out', ended: true });
  await tab.client.send(LOBBY, 'kept');
  expect(tab.read(LOBBY)).toContain('kept (queued)');
  server.refusal = {};
  expect(await tab.client.signIn('Mika', 'secret')).toEqual({ ok: true });
  await shows(tab, ['before', 'kept']);
});

test('the devices of the user are listed, and another one is signed out; a repeat is ok, and without a network it fails', async () => {
  const tab = await signedIn();
  const device = (current: boolean) => ({ id: mint(), createdAt: 1, seenAt: 2, current });
  const [own, phone] = [device(true), device(false)];
  server.devices = [own, phone];
  const devices = await tab.client.devices();
  expect(await devices.list()).toEqual({ ok: true, devices: [own, phone] });
  for (let i = 0; i < 2; i++) expect(await devices.signOut(phone.id)).toEqual({ ok: true });
  expect(await devices.list()).toEqual({ ok: true, devices: [own] });
  server.reachable = false;
  expect(await devices.list()).toMatchObject({ ok: false, reason: { code: 'unreachable' } });
});

test('a session that the server does not know is not taken for a sign-out: the claim renews it, and nothing is asked', async () => {
  const tab = await signedIn();
  await tab.client.send(LOBBY, 'before');
  server.cookie = undefined; // as after a restore from a backup
  server.live()!.drop();
  await tab.client.send(LOBBY, 'kept');
  await shows(tab, ['before', 'kept']);
  await tab.untilLive();
});

test('a session that is refused again right after the claim has renewed it is not renewed a second time', async () => {
  const tab = await signedIn();
  server.refuse.set('kept', { code: 'unauthorized', message: '' });
  await tab.client.send(LOBBY, 'kept');
  for (let i = 0; i < 20; i++) {
    await turns(20);
    tab.clock.pass(500);
  }
  expect(server.appends.length).toBeLessThanOrEqual(2);
  expect(tab.signedIn().connection).toEqual({ tag: 'signed-out' });
  expect(tab.read(LOBBY)).toEqual(['kept (queued)']);
});

test('S5 two tabs show the same order and send in the same order', async () => {
  const tab = await signedIn();
  const other = openTab();
  await other.untilLive();
  other.look(LOBBY);
  await Promise.all([
    tab.client.send(LOBBY, 'a'),
    other.client.send(LOBBY, 'b'),
    tab.client.send(LOBBY, 'c'),
  ]);
  await until(
    'both',
    () => tab.read(LOBBY).length === 3 && !tab.read(LOBBY).some((line) => line.includes('(')),
  );
  await until('the other too', () => JSON.stringify(other.read(LOBBY)) === JSON.stringify(tab.read(LOBBY)));
  expect(bodies()).toEqual(tab.read(LOBBY));
  await tab.client.signOut();
  await until('the other follows', () => other.app().tag === 'signed-out');
});

test('S5 a tab that is frozen while it sends does not block the others, and sends nothing twice when it thaws', async () => {
  const tab = await signedIn();
  server.intercept = (event) => {
    if (event !== 'append') return false;
    tab.freeze();
    return true; // never answered
  };
  await tab.client.send(LOBBY, 'a');
  await until('frozen', () => tab.read(LOBBY)[0] === 'a (sending)');
  server.intercept = () => false;
  const other = openTab();
  other.look(LOBBY);
  await other.untilLive();
  await other.client.send(LOBBY, 'b');
  await other.untilPassing('sent by the other', () => bodies().length === 2);
  tab.thaw();
  await tab.client.send(LOBBY, 'c');
  await other.untilPassing('all', () => {
    tab.clock.pass(50);
    return bodies().length === 3 && !tab.read(LOBBY).some((line) => line.includes('('));
  });
  expect(bodies()).toEqual(['a', 'b', 'c']);
});

test('O4 the person edits or deletes a text, queued or sent', async () => {
  const tab = await signedIn();
  const keyOf = (n: number) => tab.conversation(LOBBY).messages[n]!.clientOffset;
  await tab.client.send(LOBBY, 'sent');
  await shows(tab, ['sent']);
  expect(await tab.client.edit(LOBBY, keyOf(0), 'sent, changed')).toEqual({ ok: true });
  await shows(tab, ['sent, changed']);
  await until('there', () => server.rooms.get(LOBBY)!.log.length === 2);
  server.reachable = false;
  server.live()!.drop();
  await tab.client.send(LOBBY, 'queued');
  await tab.client.send(LOBBY, 'unwanted');
  expect(await tab.client.edit(LOBBY, keyOf(1), 'queued, changed')).toEqual({ ok: true });
  expect(await tab.client.remove(LOBBY, keyOf(2))).toEqual({ ok: true });
  expect(tab.read(LOBBY)).toEqual(['sent, changed', 'queued, changed (queued)']);
  expect(await tab.client.remove(LOBBY, keyOf(0))).toEqual({ ok: true });
  expect(tab.read(LOBBY)[0]).toBe('deleted (queued)');
  expect(await tab.client.edit(LOBBY, mint(), 'x')).toEqual({ ok: false, reason: { code: 'not-found' } });
  server.reachable = true;
  await tab.untilPassing('all of it', () => server.rooms.get(LOBBY)!.log.length === 4);
  expect(server.rooms.get(LOBBY)!.log.map(({ kind }) => kind)).toEqual(['text', 'edit', 'text', 'delete']);
  expect(JSON.stringify(server.rooms.get(LOBBY)!.log)).not.toContain('unwanted');
});

test('read markers are stored without a network, and sent once there is one', async () => {
  const told: unknown[] = [];
  const tab = await signedIn();
  server.intercept = (event, payload, ack) => {
    if (event !== 'read') return false;
    told.push(payload);
    ack({ ok: true, epoch: server.epoch });
    return true;
  };
  server.write(mint(), 'one');
  server.write(mint(), 'two');
  await until('unread', () => tab.signedIn().rooms[0]!.unread === 2);
  server.reachable = false;
  server.live()!.drop();
  tab.client.seen(LOBBY, 2);
  tab.client.seen(LOBBY, 1);
  await until('read', () => tab.signedIn().rooms[0]!.unread === 0);
  expect(told).toEqual([]);
  server.reachable = true;
  await tab.untilLive();
  await until('told', () => told.length > 0);
  expect(told).toEqual([{ room: LOBBY, upTo: 2 }]);
});

test('a read marker is taken once its code is loaded; before that the view is told to say it again', async () => {
  const first = await signedIn();
  server.write(mint(), 'one');
  await until('unread', () => first.signedIn().rooms[0]!.unread === 1);
  first.kill();
  let paint = () => {};
  const painted = new Promise<void>((resolve) => {
    paint = resolve;
  });
  const tab = openTab({ painted: () => painted });
  await until('the rooms are read', () => tab.app().tag === 'signed-in');
  expect(tab.client.seen(LOBBY, 1)).toBe(undefined);
  paint();
  await tab.untilLive();
  expect(tab.client.seen(LOBBY, 1)).toBe(true);
  await until('read', () => tab.signedIn().rooms[0]!.unread === 0);
});

test('O4 what the page asks before the engine is loaded is answered from the database, also without a network', async () => {
  const first = await signedIn();
  server.write(mint(), 'Wash them well');
  await shows(first, ['Wash them well']);
  first.kill();
  server.reachable = false;
  const { promise: painted, resolve: paint } = Promise.withResolvers<void>();
  const tab = openTab({ painted: () => painted });
  await until('the rooms are read', () => tab.app().tag === 'signed-in');
  const asked = tab.client.ask('pinned', LOBBY, 1);
  paint();
  expect(await asked).toMatchObject({ ok: true, pinned: { body: 'Wash them well' } });
});

test('O4 a database that cannot be opened is reported, and opened at the next attempt', async () => {
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const factory = new IDBFactory();
  const newer = factory.open('holdfast', 99);
  await new Promise((resolve) => {
    newer.onsuccess = resolve;
  });
  newer.result.close();
  browser = createBrowser(createModelServer());
  const tab = openTab({ indexedDB: factory });
  await until('said', () => tab.app().tag === 'storage');
  await new Promise((resolve) => {
    factory.deleteDatabase('holdfast').onsuccess = resolve;
  });
  tab.client.retryStorage();
  await until('there', () => tab.app().tag === 'signed-out');
  warned.mockRestore();
});

test('drafts are kept per room', async () => {
  const tab = await signedIn();
  tab.client.saveDraft(LOBBY, 'about tomo');
  await until('shown', () => tab.signedIn().rooms[0]!.draft === 'about tomo');
  expect(await tab.client.draft(LOBBY)).toBe('about tomo');
  tab.client.saveDraft(LOBBY, '');
  await until('gone', () => tab.signedIn().rooms[0]!.draft === '');
});

test('O3 a tab that is killed as soon as a message is queued does not offer its text again as a draft', async () => {
  const tab = await signedIn();
  server.reachable = false;
  server.live()!.drop();
  tab.client.saveDraft(LOBBY, '  said once\n');
  expect(await tab.client.send(LOBBY, '  said once\n')).toEqual({ ok: true });
  tab.kill();
  const again = openTab();
  await until('signed in', () => again.app().tag === 'signed-in');
  expect(await again.client.draft(LOBBY)).toBe('');
  again.look(LOBBY);
  await until('it waits', () => again.read(LOBBY)[0] === '  said once (queued)');
});

test('O4 text that was typed while a message was being queued stays a draft', async () => {
  const tab = await signedIn();
  tab.client.saveDraft(LOBBY, 'said, and more');
  expect(await tab.client.send(LOBBY, 'said')).toEqual({ ok: true });
  expect(await tab.client.draft(LOBBY)).toBe('said, and more');
});

test('O1 O2 a room is made without a network, over a reload; what is written there waits in order, and is sent behind it', async () => {
  const tab = await signedIn('Mika', ['create']);
  server.reachable = false;
  server.live()!.drop();
  const made = await tab.client.ask('createRoom', 'Harbour watch', 'public');
  const room = made.ok ? made.room! : '';
  await until('listed', () => tab.signedIn().rooms.some(({ id, making }) => id === room && making));
  for (const body of ['one', 'two']) expect(await tab.client.send(room, body)).toEqual({ ok: true });
  tab.look(room);
  await until('shown', () => tab.read(room).join() === 'one (queued),two (queued)');
  tab.kill();
  const again = openTab();
  await until('signed in', () => again.app().tag === 'signed-in');
  again.look(room);
  await until('shown again', () => again.read(room).join() === 'one (queued),two (queued)');
  await again.client.send(room, 'three');
  server.reachable = true;
  again.says('online');
  await again.untilPassing('all sent', () => again.read(room).join() === 'one,two,three');
  expect(server.rooms.get(room)!.log.map(({ kind }) => kind)).toEqual(['create', 'text', 'text', 'text']);
  const ofRoom = server.appends.map((items) => items.filter((item) => item.room === room));
  expect(ofRoom.filter((items) => items.length > 0).map((items) => items.length)).toEqual([1, 3]);
  await until('described', () => again.signedIn().rooms.some(({ id, making }) => id === room && !making));
  expect(await again.client.ask('listPublic')).toMatchObject({
    rooms: [{ id: LOBBY }, { name: 'Harbour watch' }],
  });
});

test('O3 O4 where the server refuses a room, what is behind it says so; another name sends all of it', async () => {
  const tab = await signedIn('Mika', ['create']);
  server.refuse.set('Kitchen', { code: 'forbidden', message: 'That were many rooms today.' });
  const made = await tab.client.ask('createRoom', 'Kitchen', 'private');
  const room = made.ok ? made.room! : '';
  tab.look(room);
  await tab.client.send(room, 'behind it');
  await tab.untilPassing('refused', () => tab.read(room).length === 2);
  await tab.client.send(room, 'later');
  await tab.untilPassing('all parked', () =>
    tab.conversation(room).messages.every(({ status }) => status.tag === 'not-sent'),
  );
  const [creation, behind, later] = tab.conversation(room).messages;
  expect(creation).toMatchObject({
    content: { tag: 'creation', of: 'Kitchen' },
    status: { reason: { code: 'forbidden' } },
  });
  for (const message of [behind, later])
    expect(message!.status).toEqual({ tag: 'not-sent', reason: { code: 'room-not-made' } });
  expect(await tab.client.amend(creation!.clientOffset, 'Galley')).toEqual({ ok: true });
  await tab.untilPassing('sent', () => tab.read(room).join() === 'behind it,later');
  expect(tab.signedIn().rooms.find(({ id }) => id === room)).toMatchObject({ name: 'Galley', notSent: 0 });
});

test('O4 a room that a server cannot make yet waits for a newer one, with all that is behind it', async () => {
  const tab = await signedIn();
  const made = await tab.client.ask('createRoom', 'Kitchen', 'private');
  const room = made.ok ? made.room! : '';
  tab.look(room);
  await tab.client.send(room, 'behind it');
  await tab.client.send(LOBBY, 'elsewhere');
  tab.look(LOBBY);
  await until('others are sent', () => tab.read(LOBBY).join() === 'elsewhere');
  expect(server.appends.flat().map(({ room }) => room)).toEqual([LOBBY]);
  tab.look(room);
  await until('it waits', () => tab.read(room).join() === 'behind it (queued)');
  server.features = ['create'];
  server.live()!.drop();
  await tab.untilPassing('sent', () => tab.read(room).join() === 'behind it');
});

test('the entries of an unreadable frame are requested', async () => {
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const tab = await signedIn();
  server.mute = true;
  server.write(mint(), 'garbled on its way');
  server.live()!.hear('entries', { room: LOBBY, entries: [{ serverOffset: 'one' }], users: {} });
  await shows(tab, ['garbled on its way']);
  expect(warned).toHaveBeenCalled();
  warned.mockRestore();
});

test('after close nothing runs any more', async () => {
  const tab = await signedIn();
  tab.kill();
  expect(tab.clock.isSet()).toBe(false);
});
