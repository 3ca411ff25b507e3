/** Kinds of entries that the server's code does not name, between clients: over websocket, long polling and HTTP. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ownEntry } from '../../../server/ingest/checkItem.ts';
import { LOBBY } from '../../../shared/mint.ts';
import type { Entries, Item, Room, User, Welcome } from '../../../shared/protocol/index.ts';
import {
  type ApiClient,
  bodyOf,
  connectClient,
  newId,
  post,
  signUp,
  text,
  wholeLog,
} from '../../support/api.ts';
import { type RunningApp, startApp } from '../../support/app.ts';
import { TEST_FEATURE, useProductKinds, useTestKinds } from '../../support/testKinds.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { waitFor } from '../../support/waitFor.ts';

let server: RunningApp;
beforeAll(async () => {
  useTestKinds();
  server = await startApp();
});
afterAll(async () => {
  await server.stop();
  useProductKinds();
});

let names = 0;
const person = () => signUp(server.url, `person ${names++}`);
const bearer = ({ session }: ApiClient) => ({ authorization: `Bearer ${session.token}` });

async function roomOf(client: ApiClient): Promise<string> {
  const id = newId();
  const answer = await client.makeRoom({ id, kind: 'public', name: 'a room' });
  if (!answer.ok) throw new Error(answer.error.message);
  return id;
}

function itemsIn(room: string, { clientOffset, author }: { clientOffset: string; author: string }): Item[] {
  const target = { author, clientOffset };
  return [
    { room, clientOffset: newId(), kind: 'test-message', words: 'hé' },
    { room, clientOffset: newId(), kind: 'test-silent', value: { a: [1, null] } },
    { room, clientOffset: newId(), kind: 'test-reaction', target, emoji: '🦔' },
    { room, clientOffset: newId(), kind: TEST_FEATURE, words: 'new' },
    { room, clientOffset: newId(), kind: 'test-erase', target },
  ];
}

async function bySocket(client: ApiClient, items: Item[]) {
  return client.append(...items);
}

async function byHttp(client: ApiClient, items: Item[]) {
  const answer = await post(server.url, '/api/append', { as: client.session.user.id, items }, bearer(client));
  return answer.json();
}

describe.each([
  ['websocket', ['websocket'], bySocket],
  ['long polling', ['polling'], bySocket],
  ['HTTP', ['websocket'], byHttp],
] as const)('by %s', (_, [transport], send) => {
  test('each class of kind is accepted, arrives complete live and in a catch-up, and a repeat is detected', async () => {
    using ada = await connectClient(server.url, await person(), { transports: [transport] });
    const room = await roomOf(ada);
    const boSession = await person();
    using bo = await connectClient(server.url, boSession, { transports: [transport] });
    await bo.request('room:join', { room, clientOffset: newId() });
    const mine = text('to be erased', room);
    await ada.append(mine);
    const author = ada.session.user.id;
    const items = itemsIn(room, { clientOffset: mine.clientOffset, author });
    const first = await send(bo, items);
    expect(first.results.every((result: object) => 'serverOffset' in result)).toBe(true);
    expect((await send(bo, items)).results).toEqual(first.results);
    const whole = [
      { kind: 'test-message', words: 'hé' },
      { kind: 'test-silent', value: { a: [1, null] } },
      { kind: 'test-reaction', target: 3, emoji: '🦔' },
      { kind: TEST_FEATURE, words: 'new' },
      { kind: 'test-erase', target: 3 },
    ];
    await waitFor('all of it live', () => ada.heard(room).length === 8);
    expect(ada.heard(room).slice(3)).toMatchObject(whole);
    using again = await connectClient(server.url, boSession, { transports: [transport] });
    await waitFor('the catch-up', () => again.heard(room).length === 8);
    expect(again.heard(room).slice(3)).toMatchObject(whole);
    expect(again.heard(room)[2]).toMatchObject({ kind: 'text', deleted: true });
    expect(await wholeLog(server.url, boSession, room)).toEqual(again.heard(room));
  });

  test('an unknown kind or field is invalid, and so is a kind of the server; the other items are appended', async () => {
    using ada = await connectClient(server.url, await person(), { transports: [transport] });
    const key = () => ({ room: LOBBY, clientOffset: newId() });
    const bad: Item[] = [
      { ...text('x'), answerTo: newId() },
      { ...key(), kind: 'nonsense', words: 'x' },
      { ...key(), kind: 'test-message', words: 'x', more: 1 },
      { ...key(), kind: 'test-message' },
      { ...key(), kind: 'test-removed', subject: newId() },
      { ...key(), kind: 'join' },
      { ...key(), kind: 'test-reaction', target: newId(), emoji: 'x', subject: newId() },
    ];
    const { results } = await send(ada, [...bad, text('behind them')]);
    expect(results.slice(0, -1).map(({ error }: { error?: { code: string } }) => error?.code)).toEqual(
      bad.map(() => 'invalid'),
    );
    expect(results.at(-1)).toHaveProperty('serverOffset');
  });
});

test('a server lists the features of its kinds, by socket and over HTTP', async () => {
  const session = await person();
  using ada = await connectClient(server.url, session);
  expect(ada.welcome.features).toEqual([
    'replies',
    'mentions',
    'direct',
    'reactions',
    'takedown',
    'create',
    TEST_FEATURE,
  ]);
  expect(session.features).toEqual([
    'replies',
    'mentions',
    'direct',
    'reactions',
    'takedown',
    'create',
    TEST_FEATURE,
  ]);
  const answer = await fetch(`${server.url}/api/session`, { headers: bearer(ada) });
  expect(await answer.json()).toMatchObject({
    features: ['replies', 'mentions', 'direct', 'reactions', 'takedown', 'create', TEST_FEATURE],
  });
});

test('a client that cannot read all kinds of entries is told to upgrade', async () => {
  const entering = connectClient(server.url, await person(), { features: [] });
  await expect(entering).rejects.toMatchObject({ data: { code: 'upgrade-required' } });
});

describe('a database that older processes still use', () => {
  test('accepts only the first five kinds, and lists no feature', async () => {
    await using old = await startApp({ wrap: (store) => ({ ...store, takesNewKinds: () => false }) });
    using ada = await connectClient(old.url, await signUp(old.url, 'Ada'));
    expect(ada.welcome.features).toEqual([]);
    const answer = await ada.append(text('a'), {
      room: LOBBY,
      clientOffset: newId(),
      kind: 'test-message',
      words: 'b',
    });
    expect(answer).toMatchObject({ ok: true, results: [{}, { error: { code: 'invalid' } }] });
  });
});

test('an entry with fields that this version does not know is complete after ten restarts and a catch-up', async () => {
  await using folder = await temporaryFolder();
  const session = await (async () => {
    await using first = await startApp({ data: folder.path });
    const ada = await signUp(first.url, 'Ada');
    const entry = { room: LOBBY, author: ada.user.id, clientOffset: newId(), kind: 'text', body: 'a' };
    const content = { replyTo: { author: ada.user.id, clientOffset: newId() }, tags: ['x', null, { y: 1 }] };
    await first.store.log.append([{ ...entry, content, digest: 'of a later version' }], 5);
    return { ada, entry, content };
  })();
  const { ada, entry, content } = session;
  for (let restarts = 0; restarts < 10; restarts++) {
    await using again = await startApp({ data: folder.path });
    using client = await connectClient(again.url, ada);
    const { room: _, ...sent } = entry;
    await waitFor('the catch-up', () => client.heard(LOBBY).length === 2);
    expect(client.heard(LOBBY)[1]).toEqual({ ...sent, ...content, serverOffset: 2, at: expect.any(Number) });
  }
});

describe('S3 a catch-up', () => {
  const silent = (room: string): Item => ({ room, clientOffset: newId(), kind: 'test-silent', value: 1 });

  test('after a long absence begins at the newest fifty messages, whatever other entries lie between them', async () => {
    using ada = await connectClient(server.url, await person());
    const room = await roomOf(ada);
    for (let i = 0; i < 70; i++) {
      const items = Array.from({ length: 4 }, () => silent(room));
      await ada.append(text(`message ${i}`, room), ...items);
    }
    using again = await connectClient(server.url, ada.session);
    const described = again.welcome.rooms.find(({ id }) => id === room)!;
    await waitFor('the catch-up', () => again.heard(room).at(-1)?.serverOffset === described.head);
    const messages = again.heard(room).filter(({ kind }) => kind === 'text');
    expect(messages).toHaveLength(50);
    expect(described).toMatchObject({ from: messages[0]!.serverOffset, head: 351 });
    expect(described.older).toBeUndefined();
  });

  test('with fewer than ten messages says where the ten older ones begin; one range from there has them', async () => {
    using ada = await connectClient(server.url, await person());
    const room = await roomOf(ada);
    await ada.append(...Array.from({ length: 50 }, (_, i) => text(`message ${i}`, room)));
    await server.store.log.append(
      Array.from({ length: 600 }, () =>
        ownEntry({ room, author: ada.session.user.id, clientOffset: newId() }, 'test-silent'),
      ),
      Date.now(),
    );
    using again = await connectClient(server.url, ada.session);
    const { from, older } = again.welcome.rooms.find(({ id }) => id === room)!;
    expect(from).toBeGreaterThanOrEqual(651 - 499); // 500 entries, and 64 KiB
    expect(older).toBe(51 - 9);
    const answer = await again.request('range', { room, from: older!, to: older! + 199 });
    expect(answer.ok && answer.entries.filter(({ kind }) => kind === 'text')).toHaveLength(10);
    const between = await again.request('range', { room, from: 200, to: 300 });
    expect(between.ok && between.older).toBe(51 - 9);
  });

  test('counts the unread messages: of others, not deleted, after the read marker', async () => {
    using ada = await connectClient(server.url, await person());
    const room = await roomOf(ada);
    const bo = await person();
    using there = await connectClient(server.url, bo);
    await there.request('room:join', { room, clientOffset: newId() });
    await there.append(text('of their own', room));
    const gone = text('gone', room);
    await ada.append(text('a', room), gone, silent(room), text('b', room));
    await ada.append({ kind: 'delete', room, clientOffset: newId(), target: gone.clientOffset });
    const unread = async () => {
      using again = await connectClient(server.url, bo);
      return again.welcome.rooms.find(({ id }) => id === room)!.unread ?? 0;
    };
    expect(await unread()).toBe(2);
    await there.request('read', { room, upTo: 4 });
    expect(await unread()).toBe(1);
    await there.request('read', { room, upTo: 8 });
    expect(await unread()).toBe(0);
  });
});

describe('S1 an entry held beyond the cursor', () => {
  test('does not move the cursor; if it is not in the log, the room is reset', async () => {
    using ada = await connectClient(server.url, await person());
    const room = await roomOf(ada);
    await ada.append(...Array.from({ length: 20 }, (_, i) => text(`message ${i}`, room)));
    const log = await wholeLog(server.url, ada.session, room);
    const at = (serverOffset: number): [number, number] => [serverOffset, log[serverOffset - 1]!.at];
    const welcomed = async (proof: [number, number]): Promise<Room> => {
      const handshake = { cursors: { [room]: at(5) }, proofs: { [room]: proof } };
      using again = await connectClient(server.url, ada.session, handshake);
      return again.welcome.rooms.find(({ id }) => id === room)!;
    };
    expect(await welcomed(at(15))).toMatchObject({ from: 6 });
    expect((await welcomed(at(15))).reset).toBeUndefined();
    expect(await welcomed([15, 1])).toMatchObject({ from: 1, reset: true });
    expect(await welcomed([99, 1])).toMatchObject({ reset: true });
  });
});

describe('another name', () => {
  const rename = (client: ApiClient, name: string) =>
    fetch(`${server.url}/api/name`, {
      method: 'PUT',
      headers: { ...bearer(client), 'content-type': 'application/json' },
      body: JSON.stringify({ name }),
    });

  test('is sent to connected clients at once, to others in their welcome, and is in the next frame', async () => {
    using ada = await connectClient(server.url, await person());
    const boSession = await person();
    using bo = await connectClient(server.url, boSession);
    using away = await connectClient(server.url, boSession);
    const known = away.welcome.usersUpTo;
    away.close();
    const answer = await rename(ada, 'Ada Lovelace');
    expect(answer.status).toBe(200);
    const { user } = (await answer.json()) as { user: User };
    expect(user).toMatchObject({ id: ada.session.user.id, name: 'Ada Lovelace', rev: known + 1 });
    for (const client of [ada, bo]) {
      const told = await waitFor('the name', () => client.frames.find(({ event }) => event === 'user'));
      expect(told.payload).toEqual({ user });
    }
    const welcome = async (usersSince?: number): Promise<Welcome> => {
      using again = await connectClient(
        server.url,
        boSession,
        usersSince === undefined ? {} : { usersSince },
      );
      return again.welcome;
    };
    const named = { name: 'Ada Lovelace', rev: user.rev };
    expect(await welcome(known)).toMatchObject({ users: { [user.id]: named }, usersUpTo: user.rev });
    expect((await welcome()).users).toEqual({});
    await ada.append(text('under another name'));
    await bo.hears('under another name');
    const frame = bo.frames.findLast(({ event }) => event === 'entries')!;
    expect(frame.payload).toMatchObject({ users: { [user.id]: named } });
  });

  test('S2 is in a live frame only where a client of the room may not have it: after it joined, and after a change', async () => {
    const boSession = await person();
    using ada = await connectClient(server.url, await person());
    using bo = await connectClient(server.url, boSession);
    const { id, name } = ada.session.user;
    const usersOf = async (client: ApiClient, body: string) => {
      await ada.append(text(body));
      await client.hears(body);
      const frames = client.frames.flatMap(({ event, payload }) =>
        event === 'entries' ? [payload as Entries] : [],
      );
      return frames.find(({ entries }) => entries.some((entry) => bodyOf(entry) === body))!.users;
    };
    expect(await usersOf(bo, 'the first')).toEqual({ [id]: { name, rev: 0 } });
    expect(await usersOf(bo, 'the second')).toEqual({});
    using again = await connectClient(server.url, boSession); // with no cursors: it is caught up in the lobby anew
    expect(await usersOf(again, 'after somebody came')).toEqual({ [id]: { name, rev: 0 } });
    expect(await usersOf(again, 'and again')).toEqual({});
    const { user } = (await (await rename(ada, `${name} the second`)).json()) as { user: User };
    expect(await usersOf(bo, 'after the change')).toEqual({ [id]: { name: user.name, rev: user.rev } });
    expect(await usersOf(again, 'once more')).toEqual({});
  });

  test('is refused if it is taken, invalid, or the fourth of a day', async () => {
    using ada = await connectClient(server.url, await person());
    using bo = await connectClient(server.url, await person());
    const code = async (name: string) => (await (await rename(ada, name)).json()).error?.code ?? 'ok';
    expect(await code(bo.session.user.name)).toBe('conflict');
    expect(await code('\u0007')).toBe('invalid');
    const names = ['one', 'two', 'three', 'four'].map((name) => `${name} of ${ada.session.user.id}`);
    const codes = [];
    for (const name of names) codes.push(await code(name.slice(0, 30)));
    expect(codes).toEqual(['ok', 'ok', 'ok', 'forbidden']);
  });
});
