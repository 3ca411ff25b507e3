/** Bad input: each is answered with its error, or dropped if it has no callback; the server goes on, and other users are not affected. */
import { connect as connectTcp } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { directRoomOf } from '../../shared/directPair.ts';
import { APPEND_MAX_ITEMS, BODY_MAX_CODE_POINTS, FRAME_MAX_BYTES } from '../../shared/limits.ts';
import {
  type ApiClient,
  connectClient,
  creation,
  newId,
  post,
  type SignedUp,
  signUp,
  text,
} from '../support/api.ts';
import { type Bystanders, startBystanders } from '../support/bystanders.ts';
import { engineHandshake } from '../support/engine.ts';
import { type ServerProcess, startServer } from '../support/serverProcess.ts';

let server: ServerProcess;
let bystanders: Bystanders;
let mallory: SignedUp;
let foreignRoom: string;
let theirText: string;

beforeAll(async () => {
  server = await startServer();
  bystanders = await startBystanders(server.url);
  mallory = await signUp(server.url, 'Mallory');
  using ada = await connectClient(server.url, await signUp(server.url, 'Ada'));
  foreignRoom = newId();
  await ada.makeRoom({ id: foreignRoom, kind: 'public', name: 'Not of Mallory' });
  const item = text('a text of Ada');
  theirText = item.clientOffset;
  await ada.append(item);
});

afterAll(async () => {
  const spoken = await bystanders?.stop();
  await server?.dispose();
  expect(spoken).toBeGreaterThan(5);
});

/** Sends a request on its own connection. Resolves with the error code, or `ok`. */
async function codeOf(event: string, ...payload: unknown[]): Promise<string> {
  using client = await connectClient(server.url, mallory);
  const answer = await client.socket.timeout(10_000).emitWithAck(event, ...payload);
  return answer.ok ? 'ok' : answer.error.code;
}

async function codeOfItem(item: unknown): Promise<string> {
  using client = await connectClient(server.url, mallory);
  const answer = await client.socket
    .timeout(10_000)
    .emitWithAck('append', { as: mallory.user.id, items: [item, text('a good one behind it')] });
  expect(answer.results[1]).toHaveProperty('serverOffset'); // a bad item fails alone
  return answer.results[0].error?.code ?? 'ok';
}

function making(room: Partial<Parameters<typeof creation>[0]>) {
  return creation({ id: newId(), kind: 'public', name: 'Mine', ...room, clientOffset: newId() });
}

/** From JSON, since an object literal with `__proto__` would set the prototype instead of an own key. */
const PROTO_KEY = JSON.parse('{"__proto__":[1,1]}') as Record<string, unknown>;

describe('a frame', () => {
  const as = () => mallory.user.id;
  const reaction = (emoji: string) => ({
    room: 'lobby',
    clientOffset: newId(),
    kind: 'reaction',
    target: { author: mallory.user.id, clientOffset: newId() },
    emoji,
    on: true,
  });
  const manyItems = () => Array.from({ length: APPEND_MAX_ITEMS + 1 }, () => text('x'));

  test.each<[what: string, event: string, payload: () => unknown[], code: string]>([
    ['of an unknown event', 'append!', () => [{}], 'invalid'],
    ['named for a prototype', '__proto__', () => [{}], 'invalid'],
    ['named for a method', 'toString', () => [{}], 'invalid'],
    ['without its payload', 'append', () => [], 'invalid'],
    ['with null for a payload', 'range', () => [null], 'invalid'],
    ['with a list for a payload', 'append', () => [[1, 2]], 'invalid'],
    ['with two payloads', 'range', () => [{ room: 'lobby', from: 1, to: 1 }, {}], 'invalid'],
    ['with bytes for a payload', 'append', () => [Buffer.from('x')], 'invalid'],
    ['append: items are no list', 'append', () => [{ as: as(), items: {} }], 'invalid'],
    ['append: no items', 'append', () => [{ as: as(), items: [] }], 'invalid'],
    ['append: too many items', 'append', () => [{ as: as(), items: manyItems() }], 'too-large'],
    ['append: as somebody else', 'append', () => [{ as: newId(), items: [text('x')] }], 'unauthorized'],
    ['append: of 1 MB', 'append', () => [{ as: as(), items: [text('x'.repeat(2 ** 20))] }], 'too-large'],
    ['range: of a room that is not there', 'range', () => [{ room: newId(), from: 1, to: 9 }], 'not-found'],
    ['range: of a room not mine', 'range', () => [{ room: foreignRoom, from: 1, to: 9 }], 'forbidden'],
    ['range: of __proto__', 'range', () => [{ room: '__proto__', from: 1, to: 9 }], 'invalid'],
    ['range: below 1', 'range', () => [{ room: 'lobby', from: 0, to: 9 }], 'invalid'],
    ['range: backwards', 'range', () => [{ room: 'lobby', from: 9, to: 8 }], 'invalid'],
    ['range: by halves', 'range', () => [{ room: 'lobby', from: 1.5, to: 9 }], 'invalid'],
    ['range: past what is exact', 'range', () => [{ room: 'lobby', from: 1, to: 2 ** 53 }], 'invalid'],
    ['range: beyond the head, which is empty', 'range', () => [{ room: 'lobby', from: 1e9, to: 1e9 }], 'ok'],
    ['read: of a room not mine', 'read', () => [{ room: foreignRoom, upTo: 1 }], 'forbidden'],
    ['read: below 0', 'read', () => [{ room: 'lobby', upTo: -1 }], 'invalid'],
    ['room:list: after no id', 'room:list', () => [{ after: '../..' }], 'invalid'],
    ['readers: of no id', 'readers', () => [{ room: 'x' }], 'invalid'],
    ['readers: of a room that is not there', 'readers', () => [{ room: newId() }], 'not-found'],
    ['room:choose: of no id', 'room:choose', () => [{ room: 'x', muted: true }], 'invalid'],
    ['room:choose: muted perhaps', 'room:choose', () => [{ room: 'lobby', muted: 'perhaps' }], 'invalid'],
    ['room:choose: in the future', 'room:choose', () => [{ room: 'lobby', muted: true, ago: -1 }], 'invalid'],
    [
      'room:choose: of a room not mine',
      'room:choose',
      () => [{ room: foreignRoom, muted: true }],
      'forbidden',
    ],
    ['presence: of no id', 'presence', () => [{ room: 'x' }], 'invalid'],
    ['presence: after no id', 'presence', () => [{ room: 'lobby', after: '../..' }], 'invalid'],
    ['presence: of a room that is not there', 'presence', () => [{ room: newId() }], 'not-found'],
    ['presence: of a room not mine', 'presence', () => [{ room: foreignRoom }], 'forbidden'],
    ['presence:show: perhaps', 'presence:show', () => [{ show: 'perhaps' }], 'invalid'],
    ['readers:show: perhaps', 'readers:show', () => [{ show: 'perhaps' }], 'invalid'],
    ['stored: of no id', 'stored', () => [{ rooms: { x: [1, 2] } }], 'invalid'],
    ['stored: backwards', 'stored', () => [{ rooms: { lobby: [2, 1] } }], 'invalid'],
    ['stored: half', 'stored', () => [{ rooms: { lobby: [1] } }], 'invalid'],
    [
      'stored: of many rooms',
      'stored',
      () => [{ rooms: Object.fromEntries(Array.from({ length: 21 }, () => [newId(), [1, 1]])) }],
      'invalid',
    ],
    ['reached: of no id', 'reached', () => [{ room: 'x', message: 1 }], 'invalid'],
    ['reached: of a room that is not there', 'reached', () => [{ room: newId(), message: 1 }], 'not-found'],
    ['reached: of a room not mine', 'reached', () => [{ room: foreignRoom, message: 1 }], 'forbidden'],
    ['room:get: of no id', 'room:get', () => [{ room: 'x' }], 'invalid'],
    ['room:get: of a room that is not there', 'room:get', () => [{ room: newId() }], 'not-found'],
    [
      'room:join: of a room that is not there',
      'room:join',
      () => [{ room: newId(), clientOffset: newId() }],
      'not-found',
    ],
    ['room:join: under no key', 'room:join', () => [{ room: foreignRoom, clientOffset: 'x' }], 'invalid'],
  ])('%s', async (_, event, payload, code) => {
    expect(await codeOf(event, ...payload())).toBe(code);
  });

  test.each<[what: string, item: () => unknown, code: string]>([
    ['that is no object', () => 'text', 'invalid'],
    ['that is null', () => null, 'invalid'],
    ['of a kind that is not known', () => ({ ...text('x'), kind: 'shout' }), 'invalid'],
    ['of a kind that only the server writes', () => ({ ...text('x'), kind: 'join' }), 'invalid'],
    ['with a body too long', () => text('x'.repeat(BODY_MAX_CODE_POINTS + 1)), 'too-large'],
    ['with an empty body', () => text(' \n '), 'invalid'],
    ['with a control character', () => text('a\0b'), 'invalid'],
    ['with a number for a body', () => ({ ...text('x'), body: 1 }), 'invalid'],
    ['under a key of another form', () => text('x', 'lobby', 'key'), 'invalid'],
    ['under __proto__ for a key', () => text('x', 'lobby', '__proto__'), 'invalid'],
    ['in __proto__', () => text('x', '__proto__'), 'invalid'],
    ['in a room that is not there', () => text('x', newId()), 'not-found'],
    ['in a room not mine', () => text('x', foreignRoom), 'forbidden'],
    ['that edits what is not there', () => ({ ...text('x'), kind: 'edit', target: newId() }), 'not-found'],
    ['that edits another’s text', () => ({ ...text('x'), kind: 'edit', target: theirText }), 'not-found'],
    [
      'that deletes another’s text',
      () => ({ room: 'lobby', clientOffset: newId(), kind: 'delete', target: theirText }),
      'not-found',
    ],
    ['that deletes and has a body', () => ({ ...text('x'), kind: 'delete', target: theirText }), 'invalid'],
    ['with a field that nobody knows', () => ({ ...text('x'), answerTo: newId() }), 'invalid'],
    ['that replies to no key', () => ({ ...text('x'), replyTo: newId() }), 'invalid'],
    [
      'that replies to a key of nobody’s',
      () => ({ ...text('x'), replyTo: { author: 'lobby', clientOffset: newId() } }),
      'invalid',
    ],
    ['with a field that only entries have', () => ({ ...text('x'), unreadable: true }), 'invalid'],
    ['of a kind that nobody knows', () => ({ ...text('x'), kind: 'poll' }), 'invalid'],
    ['that makes a room under no id', () => making({ id: 'x' }), 'invalid'],
    ['that makes a room as the lobby', () => making({ id: 'lobby' }), 'invalid'],
    [
      'that makes a direct conversation',
      () => making({ id: directRoomOf(mallory.user.id, newId()) }),
      'invalid',
    ],
    ['that makes a room of no kind', () => making({ kind: 'secret' }), 'invalid'],
    ['that makes a room as a direct conversation', () => making({ kind: 'direct' }), 'invalid'],
    ['that makes a room without a name', () => making({ name: ' ' }), 'invalid'],
    ['that makes a room with a number for a name', () => ({ ...making({}), name: 1 }), 'invalid'],
    ['that makes a room with too long a name', () => making({ name: 'x'.repeat(41) }), 'too-large'],
    ['that makes a room over another’s', () => making({ id: foreignRoom }), 'conflict'],
    ['that reacts with no emoji', () => reaction('ok'), 'invalid'],
    ['that reacts with two emoji', () => reaction('👍👍'), 'invalid'],
    ['that reacts with a digit', () => reaction('1'), 'invalid'],
    ['that reacts with something long', () => reaction('👍'.repeat(1_000)), 'invalid'],
    ['that reacts to nothing', () => ({ ...reaction('👍'), target: undefined }), 'invalid'],
    ['that reacts to what is not there', () => reaction('👍'), 'not-found'],
    ['of a kind named for a prototype', () => ({ ...text('x'), kind: '__proto__' }), 'invalid'],
    ['whose kind is a list', () => ({ ...text('x'), kind: ['text'] }), 'invalid'],
    ['that edits an offset instead of a key', () => ({ ...text('x'), kind: 'edit', target: 1 }), 'invalid'],
  ])('append: an item %s', async (_, item, code) => {
    expect(await codeOfItem(item())).toBe(code);
  });

  test('without a callback is dropped, whatever its content', async () => {
    using client = await connectClient(server.url, mallory);
    client.socket.emit('append', null);
    client.socket.emit('nonsense', { a: 1 }, 2, 'three');
    client.socket.emit('room:join', { id: 'x' });
    client.socket.emit('typing', { room: '__proto__', typing: 'yes' });
    client.socket.emit('here', { here: 'there' });
    client.socket.emit('here', null);
    client.socket.emit('append', { as: mallory.user.id, items: [text('no callback for the answer')] });
    expect(await client.request('beat')).toMatchObject({ ok: true });
  });

  test('above the maximum size of Engine.IO ends its connection and no other', async () => {
    using client = await connectClient(server.url, mallory);
    const ended = new Promise((resolve) => client.socket.once('disconnect', resolve));
    client.socket.emit('append', { as: mallory.user.id, items: [text('x'.repeat(FRAME_MAX_BYTES))] });
    await ended;
    expect(await codeOf('beat')).toBe('ok');
  });

  test('in a flood is answered with rate-limited', async () => {
    using client = await connectClient(server.url, mallory);
    const answers = await Promise.all(Array.from({ length: 500 }, () => client.request('beat')));
    const refused = answers.flatMap((answer) => (answer.ok ? [] : [answer.error]));
    expect(refused.length).toBeGreaterThan(300);
    expect(refused[0]).toMatchObject({ code: 'rate-limited', retryAfter: expect.any(Number) });
  });

  test('with messages in a flood is refused as transient, and a repeat is still answered', async () => {
    const flooder = await signUp(server.url, 'Flooder');
    using client = await connectClient(server.url, flooder);
    const batch = () => Array.from({ length: 100 }, (_, i) => text(`flood ${i}`));
    const first = batch();
    const answers = await Promise.all(
      [first, ...Array.from({ length: 7 }, batch)].map((items) => client.append(...items)),
    );
    const stopped = answers.flatMap((answer) => (answer.ok && answer.stopped ? [answer.stopped] : []));
    expect(stopped[0]).toMatchObject({ code: 'rate-limited', retryAfter: expect.any(Number) });
    expect(await client.append(...first)).toEqual(answers[0]);
  });
});

describe('a handshake', () => {
  async function refusal(extra: Record<string, unknown>): Promise<unknown> {
    return connectClient(server.url, mallory, extra).then(
      (client) => client.close(),
      (error: { data?: unknown }) => error.data,
    );
  }

  test.each<[what: string, auth: () => Record<string, unknown>, code: string]>([
    ['with a forged token', () => ({ token: `${mallory.token.slice(0, -2)}xx` }), 'unauthorized'],
    ['without a token', () => ({ token: undefined }), 'unauthorized'],
    ['with a token that is no text', () => ({ token: { $ne: null } }), 'invalid'],
    ['as somebody else', () => ({ as: newId() }), 'unauthorized'],
    ['of another protocol version', () => ({ protocol: 2 }), 'upgrade-required'],
    ['of no protocol version', () => ({ protocol: 'one' }), 'invalid'],
    ['with __proto__ among its cursors', () => ({ cursors: PROTO_KEY }), 'invalid'],
    ['with a cursor of another form', () => ({ cursors: { lobby: 5 } }), 'invalid'],
    ['with a room open that is none', () => ({ open: '__proto__' }), 'invalid'],
  ])('%s', async (_, auth, code) => {
    expect(await refusal(auth())).toMatchObject({ code, message: expect.any(String) });
  });

  test('with a cursor beyond the head gets `reset` for the room', async () => {
    using client = await connectClient(server.url, mallory, { cursors: { lobby: [1_000_000, 1] } });
    expect(client.welcome.rooms.find((room) => room.id === 'lobby')).toMatchObject({ reset: true });
  });

  test('with a revoked token is refused, and the live socket of the device is disconnected', async () => {
    const gone = await signUp(server.url, 'Gone');
    const client = await connectClient(server.url, gone);
    const ended = new Promise((resolve) => client.socket.once('disconnect', resolve));
    await fetch(`${server.url}/api/session`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${gone.token}` },
    });
    await ended;
    const error = await connectClient(server.url, gone).catch((refused: unknown) => refused);
    expect(error).toMatchObject({ data: { code: 'unauthorized' } });
  });

  const LET_IN = { polling: 200, websocket: 101 };

  describe.each(['polling', 'websocket'] as const)('by %s with a cookie', (transport) => {
    test.each([
      ['from its own origin is let in', () => server.url, true],
      ['from a foreign origin is refused', () => 'https://evil.example', false],
      ['from origin null is refused', () => 'null', false],
      ['from another port is refused', () => 'http://127.0.0.1:1', false],
      ['without an origin is refused', () => undefined, false],
    ])('%s', async (_, origin, letIn) => {
      const cookie = await cookieOf(`Cookie ${newId().slice(0, 8)}`);
      const status = await engineHandshake(server.url, transport, { cookie, origin: origin() });
      expect(status).toBe(letIn ? LET_IN[transport] : 403);
    });
  });

  async function cookieOf(name: string): Promise<string> {
    const body = { name, claim: newId(), credential: 'cookie' };
    const answer = await post(server.url, '/api/session', body, { origin: server.url });
    expect(answer.status).toBe(201);
    return answer.headers.getSetCookie()[0]!.split(';')[0]!;
  }
});

describe('over HTTP', () => {
  const signedIn = () => ({ authorization: `Bearer ${mallory.token}` });

  test.each<[what: string, send: () => Promise<Response>, status: number, code: string]>([
    ['no session at all', () => post(server.url, '/api/append', {}), 401, 'unauthorized'],
    ['a body that is no JSON', () => raw('{', signedIn()), 400, 'invalid'],
    [
      'a body of another shape',
      () => post(server.url, '/api/append', { items: 1 }, signedIn()),
      400,
      'invalid',
    ],
    ['a body of 1 MB', () => raw(JSON.stringify('x'.repeat(2 ** 20)), signedIn()), 413, 'too-large'],
    ['a range of a room not mine', () => range(foreignRoom), 403, 'forbidden'],
    ['a range of a room that is not there', () => range(newId()), 404, 'not-found'],
    ['a range of __proto__', () => range('__proto__'), 400, 'invalid'],
    [
      'a path that is none of the api',
      () => fetch(`${server.url}/api/nothing`, { headers: signedIn() }),
      404,
      'not-found',
    ],
    [
      'a sign-up without a claim',
      () => post(server.url, '/api/session', { name: 'X', credential: 'token' }),
      400,
      'invalid',
    ],
    ['a name that is taken', () => post(server.url, '/api/session', sessionOf('MALLORY')), 409, 'conflict'],
    ['a name too long', () => post(server.url, '/api/session', sessionOf('x'.repeat(41))), 413, 'too-large'],
    ['a cookie sign-up from elsewhere', () => foreignSignUp(), 403, 'forbidden'],
  ])('%s', async (_, send, status, code) => {
    const answer = await send();
    expect(await answer.json()).toMatchObject({ ok: false, error: { code } });
    expect(answer.status).toBe(status);
  });

  function raw(body: string, headers: Record<string, string>): Promise<Response> {
    const type = { 'content-type': 'application/json' };
    return fetch(`${server.url}/api/append`, { method: 'POST', headers: { ...type, ...headers }, body });
  }

  function range(room: string): Promise<Response> {
    return fetch(`${server.url}/api/rooms/${room}/entries?from=1&to=9`, { headers: signedIn() });
  }

  function sessionOf(name: string) {
    return { name, claim: newId(), credential: 'token' };
  }

  function foreignSignUp(): Promise<Response> {
    const body = { ...sessionOf('Eve'), credential: 'cookie' };
    return post(server.url, '/api/session', body, { origin: 'https://evil.example' });
  }
});

test('bytes that are not HTTP end their connection and nothing else', async () => {
  for (const noise of [
    '\0\0\0\0',
    'GET / HTTP/9.9\r\n\r\n',
    `GET /${'x'.repeat(100_000)} HTTP/1.1\r\n\r\n`,
  ]) {
    const socket = connectTcp(server.port, '127.0.0.1');
    socket.write(noise);
    await new Promise((resolve) => socket.on('error', resolve).on('close', resolve).resume());
  }
  using client: ApiClient = await connectClient(server.url, mallory);
  expect(await client.request('beat')).toMatchObject({ ok: true });
});
