import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RefusedError } from '../../../server/base/refusal.ts';
import { Unavailable } from '../../../server/store/port.ts';
import { APPEND_MAX_BYTES } from '../../../shared/limits.ts';
import { newId } from '../../support/api.ts';
import { ask, type Heard, REQUESTS_BURST, type Served, serve } from './serve.ts';

async function signedUp(server: Served): Promise<{ authorization: string }> {
  const made = await ask(server.url, 'POST', '/api/session', {
    body: { name: newId(), claim: newId(), credential: 'token' },
  });
  return { authorization: `Bearer ${made.json.token}` };
}

const refused = (status: number, code: string) =>
  expect.objectContaining({ status, json: { ok: false, error: expect.objectContaining({ code }) } });

describe('requests over HTTP', () => {
  test('append and range do the same as over a socket', async () => {
    await using server = await serve();
    const headers = await signedUp(server);
    const body = { as: 'me', items: [{ room: '__proto__' }] };
    const appended = await ask(server.url, 'POST', '/api/append', { headers, body });
    expect([appended.status, appended.json]).toMatchObject([
      200,
      { ok: true, name: 'append', payload: body },
    ]);
    const ranged = await ask(server.url, 'GET', '/api/rooms/lobby/entries?from=3&to=20', { headers });
    expect(ranged.json.payload).toEqual({ room: 'lobby', from: 3, to: 20 });
    expect(ranged.headers['cache-control']).toBe('no-store');
    const odd = await ask(server.url, 'GET', '/api/rooms/%E0%A4%A/entries?from=-1&from=2', { headers });
    expect(odd.json.payload).toEqual({ room: '%E0%A4%A', from: ['-1', '2'] });
  });

  test('making and reading reports is charged to the user and the address; with a debt they are refused', async () => {
    const charged: unknown[][] = [];
    let isInDebt = false;
    const work = {
      admit() {
        if (isInDebt) throw new RefusedError('rate-limited', 'm', 1_200);
      },
      charge: (...what: unknown[]) => void charged.push(what),
    };
    await using server = await serve({ work });
    const headers = await signedUp(server);
    const requests = [
      ['POST', '/api/reports', { person: newId() }],
      ['GET', '/api/reports?room=lobby'],
      ['GET', `/api/reports/${newId()}`],
      ['DELETE', `/api/reports/${newId()}`],
    ] as const;
    for (const [method, path, body] of requests) {
      const before = charged.length;
      const answer = await ask(server.url, method, path, { headers, body });
      expect([path, answer.status]).toEqual([path, method === 'GET' && path.includes('?') ? 200 : 404]);
      expect(charged.slice(before)).toEqual([
        [{ user: expect.any(String), address: '127.0.0.1' }, 'reads', expect.any(Number)],
      ]);
      expect(charged.at(-1)![2]).toBeGreaterThan(5);
    }
    isInDebt = true;
    for (const [method, path, body] of requests)
      expect(await ask(server.url, method, path, { headers, body })).toEqual(refused(429, 'rate-limited'));
    expect(charged).toHaveLength(requests.length);
  });

  test('a refusal has the status of its code, and Retry-After', async () => {
    let error: Record<string, unknown> = {};
    await using server = await serve({ perform: () => ({ ok: false, error }) });
    const headers = await signedUp(server);
    const answer = async (refusal: Record<string, unknown>) => {
      error = refusal;
      return ask(server.url, 'POST', '/api/append', { headers, body: {} });
    };
    expect(await answer({ code: 'not-found', message: 'm' })).toEqual(refused(404, 'not-found'));
    const busy = await answer({ code: 'unavailable', message: 'm', retryAfter: 1_200 });
    expect([busy.status, busy.headers['retry-after'], busy.json.error.retryAfter]).toEqual([503, '2', 1_200]);
    expect(await answer({ code: 'from-the-future', message: 'm' })).toEqual(refused(500, 'from-the-future'));
  });

  test('a path in another spelling is not answered without the headers of /api', async () => {
    await using server = await serve();
    const headers = await signedUp(server);
    for (const path of ['/API/session', '/api/SESSION', '/Api/session'])
      expect((await ask(server.url, 'GET', path, { headers })).status).toBe(404);
    const right = await ask(server.url, 'GET', '/api/session', { headers });
    expect([right.status, right.headers['cache-control'], right.headers.vary]).toEqual([
      200,
      'no-store',
      'Cookie, Authorization',
    ]);
  });

  test('without credentials every request is 401', async () => {
    await using server = await serve();
    const tokens = ['', 'Bearer', 'Bearer x', `Bearer ${'A'.repeat(43)}`, 'Basic eDp5'];
    for (const authorization of tokens) {
      const heard = await ask(server.url, 'POST', '/api/append', { headers: { authorization }, body: {} });
      expect(heard).toEqual(refused(401, 'unauthorized'));
    }
    expect(server.performed).toEqual([]);
  });

  test('requests of one device are rate-limited, as over a socket', async () => {
    await using server = await serve();
    const headers = await signedUp(server);
    const all = Array.from({ length: REQUESTS_BURST }, () =>
      ask(server.url, 'POST', '/api/append', { headers, body: {} }),
    );
    expect(new Set((await Promise.all(all)).map(({ status }) => status))).toEqual(new Set([200]));
    for (const [method, path] of [
      ['POST', '/api/append'],
      ['GET', '/api/session'],
      ['PUT', '/api/name'],
    ] as const)
      expect(
        (await ask(server.url, method, path, { headers, body: method === 'GET' ? undefined : {} })).status,
      ).toBe(429);
  });

  test('an unavailable store is 503; an unexpected error is 500, and its text is in the log, not in the answer', async () => {
    let error: Error = new Unavailable('the store is busy', 3_000);
    await using server = await serve({ sabotage: { byToken: () => Promise.reject(error) } });
    const headers = { authorization: `Bearer ${'A'.repeat(43)}` };
    const busy = await ask(server.url, 'GET', '/api/session', { headers });
    expect([busy.status, busy.headers['retry-after']]).toEqual([503, '3']);
    expect(server.logged).toEqual([]);
    error = new Error('SECRET DETAIL');
    const broken = await ask(server.url, 'GET', '/api/session', { headers });
    expect(broken).toEqual(refused(500, 'internal'));
    expect(broken.text).not.toContain('SECRET');
    expect(JSON.stringify(server.logged)).toContain('SECRET DETAIL');
    expect(JSON.stringify(server.logged)).not.toContain('AAAA');
  });
});

describe('bad input', () => {
  let server: Served;
  let headers: { authorization: string };
  beforeAll(async () => {
    server = await serve();
    headers = await signedUp(server);
  });
  afterAll(() => server[Symbol.asyncDispose]());
  const post = (body: unknown, more: Record<string, string> = {}): Promise<Heard> =>
    ask(server.url, 'POST', '/api/append', { headers: { ...headers, ...more }, body });

  test.each([
    ['no JSON', '{"as":', {}],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0x22]), {}],
    ['another type', '{}', { 'content-type': 'text/plain' }],
    ['a form', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['something compressed', '{}', { 'content-encoding': 'gzip' }],
    ['nothing', '', {}],
  ])('%s is invalid', async (_what, body, more) => {
    expect(await post(body, more)).toEqual(refused(400, 'invalid'));
  });

  test.each([
    ['a little too much', APPEND_MAX_BYTES + 1],
    ['1 MB', 1_000_000],
    ['far too much', 20_000_000],
  ])('%s is too large, and the client reads the answer', async (_what, bytes) => {
    expect(await post(`"${'x'.repeat(bytes - 2)}"`)).toEqual(refused(413, 'too-large'));
  });

  test.each([
    [{}],
    [[]],
    [null],
    [{ name: 1, claim: newId(), credential: 'token' }],
    [{ name: 'Ada', claim: 'short', credential: 'token' }],
    [{ name: 'Ada', claim: newId(), credential: 'both' }],
    [JSON.parse('{"__proto__":{"name":"Ada","credential":"token"}}')],
  ])('the session %j is invalid', async (body) => {
    expect(await ask(server.url, 'POST', '/api/session', { body })).toEqual(refused(400, 'invalid'));
  });

  test('an unknown path is not-found and a wrong method is invalid, in the shape of all errors', async () => {
    const nowhere = ['/api', '/api/', '/api/nothing', '/api/session/x', '/api/__proto__', '/api/%00'];
    for (const path of nowhere) {
      expect(await ask(server.url, 'GET', path, { headers: { accept: 'text/html' } })).toEqual(
        refused(404, 'not-found'),
      );
    }
    for (const method of ['PUT', 'PATCH', 'PROPFIND']) {
      const heard = await ask(server.url, method, '/api/append');
      expect(heard).toEqual(refused(405, 'invalid'));
      expect(heard.headers.allow).toBe('POST');
    }
  });

  test('a body that breaks off affects no other request', async () => {
    const { port } = new URL(server.url);
    const socket = connect(Number(port), '127.0.0.1');
    const closed = new Promise((resolve) => socket.on('close', resolve));
    const head = `POST /api/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`;
    socket.write(head, () => socket.destroy());
    await closed;
    expect((await ask(server.url, 'GET', '/healthz')).status).toBe(200);
    expect(server.logged).toEqual([]);
  });
});

test('/healthz says that the process is alive, /readyz whether it can handle requests', async () => {
  await using server = await serve();
  expect((await ask(server.url, 'GET', '/readyz')).json).toEqual({ ok: true });
  server.isReady = false;
  expect(await ask(server.url, 'GET', '/readyz')).toEqual(refused(503, 'unavailable'));
  expect((await ask(server.url, 'GET', '/healthz')).status).toBe(200);
});
