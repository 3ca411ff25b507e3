/** Any Socket.IO v4 client can use the protocol: here python-socketio, an independent one. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectClient, newId, type SignedUp, signUp, text } from '../support/api.ts';
import { type PythonClient, startPythonClient } from '../support/python.ts';
import { type ServerProcess, startServer } from '../support/serverProcess.ts';

const LOBBY = 'lobby';

describe.each([['websocket'], ['polling']])('python-socketio by %s', (transport) => {
  let server: ServerProcess;
  let python: PythonClient;
  let session: SignedUp;

  beforeAll(async () => {
    server = await startServer();
    python = await startPythonClient(server.url);
  }, 60_000);

  afterAll(async () => {
    await python[Symbol.asyncDispose]();
    await server.dispose();
  });

  function connect(extra: Record<string, unknown> = {}) {
    const auth = { protocol: 1, features: ['entries2'], token: session.token, as: session.user.id, ...extra };
    return python.tell({ do: 'connect', auth, transports: [transport] });
  }

  function append(...items: unknown[]) {
    return python.tell({ do: 'call', event: 'append', payload: { as: session.user.id, items } });
  }

  test('signs in with a token, and gets `welcome` without a request', async () => {
    const body = { name: 'Monty', claim: newId(), credential: 'token' };
    const answer = await python.tell({ do: 'post', path: '/api/session', body });
    expect(answer).toMatchObject({
      status: 201,
      body: { user: { name: 'Monty' }, token: expect.any(String) },
    });
    session = answer.body;
    expect(await connect()).toEqual({ connected: true });
    const [welcome] = await python.tell({ do: 'wait', event: 'welcome', count: 1 });
    expect(welcome).toMatchObject({ protocol: 1, user: session.user, rooms: [{ id: LOBBY }] });
  });

  test('L3 sends, and a repeat is acknowledged with the result of the first append', async () => {
    const item = text('from a snake');
    const first = await append(item);
    expect(first).toMatchObject({ ok: true, results: [{ clientOffset: item.clientOffset }] });
    expect(await append(item)).toEqual(first);
    expect((await append({ ...item, body: 'something else' })).results[0].error.code).toBe('conflict');
  });

  test('receives the messages of others, and they receive its messages', async () => {
    using ada = await connectClient(server.url, await signUp(server.url, 'Ada'));
    await ada.append(text('hello, Monty'));
    const entry = await ada.hears('hello, Monty');
    expect(await python.tell({ do: 'hear', body: 'hello, Monty' })).toEqual(entry);
    await ada.hears('from a snake');
  });

  test('S2 resumes by cursors: gets the missed entries, and none that it has', async () => {
    const held = await python.tell({
      do: 'call',
      event: 'range',
      payload: { room: LOBBY, from: 1, to: 200 },
    });
    const cursor = [held.head, held.entries.at(-1).at];
    await python.tell({ do: 'disconnect' });

    using bob = await connectClient(server.url, await signUp(server.url, 'Bob'));
    await bob.append(text('while you were away'), text('and again'));

    expect(await connect({ epoch: held.epoch, cursors: { [LOBBY]: cursor } })).toEqual({ connected: true });
    const [welcome] = await python.tell({ do: 'wait', event: 'welcome', count: 1 });
    expect(welcome.rooms[0]).toMatchObject({ id: LOBBY, from: held.head + 1 });
    const [caughtUp] = await python.tell({ do: 'wait', event: 'entries', count: 1 });
    const texts = caughtUp.entries.filter((entry: { kind: string }) => entry.kind === 'text');
    expect(caughtUp.entries[0].serverOffset).toBe(held.head + 1);
    expect(texts.map((entry: { body: string }) => entry.body)).toEqual(['while you were away', 'and again']);
  });

  test('a refused handshake has the reason', async () => {
    await python.tell({ do: 'disconnect' });
    expect(await connect({ token: 'forged' })).toMatchObject({
      connected: false,
      refusal: { data: { code: 'unauthorized' } },
    });
    expect(await connect({ protocol: 99 })).toMatchObject({
      connected: false,
      refusal: { data: { code: 'upgrade-required' } },
    });
  });
});
