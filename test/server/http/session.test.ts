import { describe, expect, test } from 'vitest';
import { SIGN_INS_PER_MINUTE } from '../../../shared/limits.ts';
import { newId } from '../../support/api.ts';
import { ask, serve } from './serve.ts';

const request = (name = 'Ada', credential: 'cookie' | 'token' = 'token') => ({
  name,
  claim: newId(),
  credential,
});
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
const cookieOf = (heard: { headers: { 'set-cookie'?: string[] | undefined } }) =>
  heard.headers['set-cookie']?.[0]?.split(';')[0] ?? '';

describe('with a token', () => {
  test('signing up, reading the session, setting a password, signing out', async () => {
    await using server = await serve();
    const made = await ask(server.url, 'POST', '/api/session', { body: request() });
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject({ user: { name: 'Ada' }, hasPassword: false, devices: 1 });
    expect(made.headers['set-cookie']).toBeUndefined();
    const { token, ...session } = made.json;

    const got = await ask(server.url, 'GET', '/api/session', bearer(token));
    expect([got.status, got.json, got.headers['set-cookie']]).toEqual([200, session, undefined]);
    expect(got.headers).toMatchObject({ 'cache-control': 'no-store', vary: 'Cookie, Authorization' });

    const body = { password: 'secret' };
    expect(await ask(server.url, 'PUT', '/api/password', { ...bearer(token), body })).toMatchObject({
      status: 200,
    });
    const back = await ask(server.url, 'POST', '/api/session', {
      body: { ...request(), password: 'secret' },
    });
    expect(back.json).toMatchObject({ user: session.user, hasPassword: true, devices: 2 });

    expect(await ask(server.url, 'DELETE', '/api/session', bearer(token))).toMatchObject({ status: 200 });
    const gone = await ask(server.url, 'GET', '/api/session', bearer(token));
    expect([gone.status, gone.json.error.code]).toEqual([401, 'unauthorized']);
  });

  test('a refusal says whether somebody signed out, or the session is just not known', async () => {
    await using server = await serve();
    const { token } = (await ask(server.url, 'POST', '/api/session', { body: request() })).json;
    const errorOf = async (credential: string) =>
      (await ask(server.url, 'GET', '/api/session', bearer(credential))).json.error;
    await ask(server.url, 'DELETE', '/api/session', bearer(token));
    expect(await errorOf(token)).toMatchObject({ code: 'unauthorized', reason: 'signed-out' });
    const unknown = await errorOf('x'.repeat(43));
    expect([unknown.code, 'reason' in unknown]).toEqual(['unauthorized', false]);
  });

  test('the devices of a user, and signing out one of them', async () => {
    await using server = await serve();
    const phone = (await ask(server.url, 'POST', '/api/session', { body: { ...request(), password: 'p' } }))
      .json;
    const laptop = (await ask(server.url, 'POST', '/api/session', { body: { ...request(), password: 'p' } }))
      .json;
    const bo = (await ask(server.url, 'POST', '/api/session', { body: request('Bo') })).json;
    const list = async () => (await ask(server.url, 'GET', '/api/devices', bearer(laptop.token))).json;
    const { devices } = await list();
    expect(devices).toHaveLength(2);
    expect(devices).toContainEqual({
      id: laptop.device.id,
      createdAt: expect.any(Number),
      seenAt: expect.any(Number),
      current: true,
    });
    const remove = async ({ token }: { token: string }) => {
      const { status, json } = await ask(
        server.url,
        'DELETE',
        `/api/devices/${phone.device.id}`,
        bearer(token),
      );
      return [status, json.ok, json.error?.code];
    };
    expect(await remove(bo)).toEqual([404, false, 'not-found']);
    expect(await remove(laptop)).toEqual([200, true, undefined]);
    expect(await remove(laptop)).toEqual([404, false, 'not-found']);
    expect((await list()).devices).toEqual([expect.objectContaining({ id: laptop.device.id })]);
    const refusedPhone = await ask(server.url, 'GET', '/api/session', bearer(phone.token));
    expect(refusedPhone.json.error.reason).toBe('signed-out');
    expect((await ask(server.url, 'GET', '/api/devices')).status).toBe(401);
  });

  test('with sign-up closed a new name is 403, with a reason for the app', async () => {
    await using server = await serve({ config: { signUp: 'closed' } });
    const { status, json } = await ask(server.url, 'POST', '/api/session', { body: request() });
    expect([status, json.error.code, json.error.reason]).toEqual([403, 'forbidden', 'sign-up-closed']);
  });

  test('a taken name is 409, a wrong password 401, and neither is logged', async () => {
    await using server = await serve();
    await ask(server.url, 'POST', '/api/session', { body: request() });
    const taken = await ask(server.url, 'POST', '/api/session', { body: request() });
    expect([taken.status, taken.json.ok, taken.json.error.code]).toEqual([409, false, 'conflict']);
    const wrong = await ask(server.url, 'POST', '/api/session', {
      body: { ...request(), password: 'guess' },
    });
    expect([wrong.status, wrong.json.error.code]).toEqual([401, 'unauthorized']);
    expect(server.logged).toEqual([]);
  });

  test('too many sign-ins are 429 with Retry-After', async () => {
    await using server = await serve();
    let last = await ask(server.url, 'POST', '/api/session', { body: request() });
    for (let i = 0; i < SIGN_INS_PER_MINUTE; i++) {
      last = await ask(server.url, 'POST', '/api/session', { body: request() });
    }
    expect([last.status, last.json.error.code]).toEqual([429, 'rate-limited']);
    expect(Number(last.headers['retry-after'])).toBe(Math.ceil(last.json.error.retryAfter / 1_000));
    expect(Number(last.headers['retry-after'])).toBeGreaterThan(0);
  });
});

describe('with a cookie', () => {
  test('signing up, renewing, signing out; no token in the body, where a script could read it', async () => {
    await using server = await serve();
    const origin = server.url;
    const made = await ask(server.url, 'POST', '/api/session', {
      headers: { origin },
      body: request('Ada', 'cookie'),
    });
    expect(made.status).toBe(201);
    expect(made.json.token).toBeUndefined();
    const port = new URL(server.url).port;
    expect(made.headers['set-cookie']![0]).toMatch(
      new RegExp(`^holdfast-${port}=[\\w-]{43}; Path=/; Max-Age=34560000; HttpOnly; SameSite=Strict$`),
    );
    const cookie = cookieOf(made);

    const got = await ask(server.url, 'GET', '/api/session', { headers: { cookie } });
    expect([got.status, cookieOf(got)]).toEqual([200, cookie]);

    const out = await ask(server.url, 'DELETE', '/api/session', { headers: { cookie, origin } });
    expect([out.status, out.headers['set-cookie']![0]]).toEqual([200, expect.stringContaining('Max-Age=0')]);
    expect((await ask(server.url, 'GET', '/api/session', { headers: { cookie } })).status).toBe(401);
  });

  test('behind a proxy with HTTPS it is Secure and __Host-', async () => {
    const allowedOrigins = ['https://chat.example'];
    await using server = await serve({ config: { allowedOrigins, trustProxy: { tag: 'hops', hops: 1 } } });
    const headers = {
      host: 'internal:3000',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'chat.example',
      origin: 'https://chat.example',
    };
    const made = await ask(server.url, 'POST', '/api/session', { headers, body: request('Ada', 'cookie') });
    expect(made.headers['set-cookie']![0]).toMatch(/^__Host-holdfast-443=.*; Secure$/);
  });
});

describe('where from', () => {
  test('with a cookie, requests that change something must come from a page of this server', async () => {
    await using server = await serve();
    const made = await ask(server.url, 'POST', '/api/session', {
      headers: { origin: server.url },
      body: request('Ada', 'cookie'),
    });
    const cookie = cookieOf(made);
    const append = async (headers: Record<string, string>) =>
      (await ask(server.url, 'POST', '/api/append', { headers: { cookie, ...headers }, body: {} })).status;
    expect(await append({ origin: server.url })).toBe(200);
    expect(await append({ referer: `${server.url}/room/x` })).toBe(200);
    expect(await append({})).toBe(403);
    expect(await append({ origin: 'null' })).toBe(403);
    expect(await append({ origin: 'https://evil.example' })).toBe(403);
    expect(await append({ origin: server.url.replace('http:', 'https:') })).toBe(403);
    expect(server.performed).toHaveLength(2);
  });

  test('with a token, requests may come from anywhere', async () => {
    await using server = await serve();
    const { json } = await ask(server.url, 'POST', '/api/session', { body: request() });
    const headers = { authorization: `Bearer ${json.token}`, origin: 'https://evil.example' };
    expect((await ask(server.url, 'POST', '/api/append', { headers, body: {} })).status).toBe(200);
  });

  test('a foreign page cannot sign anybody in, and a client that is no page gets no cookie', async () => {
    await using server = await serve();
    const attempt = async (credential: 'cookie' | 'token', headers: Record<string, string>) => {
      const heard = await ask(server.url, 'POST', '/api/session', {
        headers,
        body: request('Ada', credential),
      });
      return [heard.status, heard.json.error?.code, heard.headers['set-cookie']];
    };
    const forbidden = [403, 'forbidden', undefined];
    expect(await attempt('cookie', {})).toEqual(forbidden);
    expect(await attempt('cookie', { origin: 'null' })).toEqual(forbidden);
    expect(await attempt('token', { origin: 'https://evil.example' })).toEqual(forbidden);
    const known = { origin: 'https://evil.example', authorization: 'Bearer x' };
    expect(await attempt('cookie', known)).toEqual(forbidden);
  });

  test('only pages of ALLOWED_ORIGINS may read answers, and get CORS headers', async () => {
    await using server = await serve({ config: { allowedOrigins: ['https://friend.example'] } });
    const preflight = (origin: string) =>
      ask(server.url, 'OPTIONS', '/api/append', {
        headers: { origin, 'access-control-request-method': 'POST' },
      });
    const friend = await preflight('https://friend.example');
    expect(friend.status).toBe(204);
    expect(friend.headers).toMatchObject({
      'access-control-allow-origin': 'https://friend.example',
      'access-control-allow-credentials': 'true',
    });
    expect(friend.headers.vary).toContain('Origin');
    const foe = await preflight('https://evil.example');
    expect(foe.headers['access-control-allow-origin']).toBeUndefined();
    const headers = { origin: 'https://friend.example' };
    const made = await ask(server.url, 'POST', '/api/session', { headers, body: request('Ada', 'cookie') });
    expect([made.status, made.headers['access-control-allow-origin']]).toEqual([
      201,
      'https://friend.example',
    ]);
    const refused = await ask(server.url, 'GET', '/api/session', { headers });
    expect([refused.status, refused.headers['access-control-allow-origin']]).toEqual([
      401,
      'https://friend.example',
    ]);
  });
});
