/** The Host check on the whole server: DNS rebinding is refused on every path, and every way of running it in docs/OPERATE.md works. */
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { hostname } from 'node:os';
import { describe, expect, test } from 'vitest';
import { parseEnv } from '../../server/base/env.ts';
import { ask, upgradeAt } from '../server/http/serve.ts';
import { newId } from '../support/api.ts';
import { startApp } from '../support/app.ts';

const POLLING = '/socket.io/?EIO=4&transport=polling';
const WEBSOCKET = '/socket.io/?EIO=4&transport=websocket';
const request = (name: string) => ({ name, claim: newId(), credential: 'cookie' });

/** What a browser sends from the page at `origin`. A name that a page is rebound to is its `Host`, too. */
async function answers(url: string, headers: Record<string, string>) {
  const upgrade = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': randomBytes(16).toString('base64'),
  };
  const signUp = await ask(url, 'POST', '/api/session', { headers, body: request(`User ${newId()}`) });
  const page = await ask(url, 'GET', '/', { headers });
  const polling = await ask(url, 'GET', POLLING, { headers });
  const websocket = await upgradeAt(url, WEBSOCKET, { ...headers, ...upgrade });
  return { signUp, page, polling, websocket };
}

/** The status of a request with these `Host` headers. */
async function statusOf(url: string, path: string, hosts: string[]): Promise<number> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  const lines = [...hosts.map((host) => `Host: ${host}`), 'Connection: close'];
  socket.write([`GET ${path} HTTP/1.1`, ...lines, '', ''].join('\r\n'));
  const text = (await socket.toArray()).join('');
  return Number(text.split(' ')[1]);
}

describe('DNS rebinding: a page whose name resolves to this server', () => {
  test.each(['evil.example', 'evil.example:3000', '192.168.1.20.evil.example', 'localhost.evil.example'])(
    '%s gets 421 with the name of the setting, and no cookie',
    async (host) => {
      await using app = await startApp();
      const { signUp, page, polling, websocket } = await answers(app.url, { host, origin: `http://${host}` });
      for (const { status, text } of [signUp, page, polling, websocket]) {
        expect(status).toBe(421);
        expect(text).toContain('PUBLIC_ORIGIN');
        expect(text).not.toContain('evil');
        expect(Buffer.byteLength(text)).toBeLessThan(300);
      }
      for (const { json } of [signUp, polling, websocket])
        expect(json).toMatchObject({ ok: false, error: { code: 'unavailable' } }); // what waits stays queued
      expect(signUp.headers['set-cookie']).toBeUndefined();
      expect(page.headers['content-type']).toContain('text/plain');
      expect(await app.store.users.latestRev()).toBe(0);
    },
  );

  test('neither a repeated Host nor X-Forwarded-Host of somebody untrusted helps', async () => {
    await using app = await startApp();
    const forwarded = { host: 'evil.example', 'x-forwarded-host': 'localhost' };
    expect((await ask(app.url, 'GET', '/', { headers: forwarded })).status).toBe(421);
    for (const path of ['/', '/api/session', POLLING])
      expect(await statusOf(app.url, path, ['localhost', 'evil.example'])).toBe(421);
  });

  test('a trusted proxy that says evil.example is refused as well', async () => {
    const { trustProxy } = parseEnv({ TRUST_PROXY: '1' });
    await using app = await startApp({ config: { trustProxy } });
    const headers = { host: 'localhost', 'x-forwarded-host': 'evil.example' };
    expect((await ask(app.url, 'GET', POLLING, { headers })).status).toBe(421);
  });
});

test('health checks are answered under any name: load balancers send any', async () => {
  await using app = await startApp();
  for (const path of ['/healthz', '/readyz'])
    expect((await ask(app.url, 'GET', path, { headers: { host: 'target-group-7' } })).status).toBe(200);
});

describe('every way of running it in docs/OPERATE.md: page, sign-up and both transports', () => {
  const machine = hostname().split('.')[0]!.toLowerCase();
  const chat = 'https://chat.example.org';
  test.each<[string, Record<string, string>, Record<string, string>]>([
    ['on this machine', {}, { host: 'localhost:3000', origin: 'http://localhost:3000' }],
    ['a phone by the address', {}, { host: '192.168.1.20:3000', origin: 'http://192.168.1.20:3000' }],
    ['a phone by IPv6', {}, { host: '[fd00::20]:3000', origin: 'http://[fd00::20]:3000' }],
    ['a phone by the name', {}, { host: `${machine}.local:3000`, origin: `http://${machine}.local:3000` }],
    [
      'docker compose: the second server behind its own port',
      {},
      { host: '127.0.0.1:3001', origin: 'http://127.0.0.1:3001' },
    ],
    [
      'a proxy that passes the Host on, with PUBLIC_ORIGIN',
      { PUBLIC_ORIGIN: chat },
      { host: 'chat.example.org', origin: chat },
    ],
    [
      'a proxy on this machine with a Host of its own, with PUBLIC_ORIGIN',
      { PUBLIC_ORIGIN: chat },
      { host: '127.0.0.1:3000', origin: chat },
    ],
    [
      'a proxy with X-Forwarded-Host, with PUBLIC_ORIGIN and TRUST_PROXY',
      { PUBLIC_ORIGIN: chat, TRUST_PROXY: '1' },
      {
        host: 'inside:3000',
        'x-forwarded-host': 'chat.example.org',
        'x-forwarded-proto': 'https',
        origin: chat,
      },
    ],
    [
      'another page of the operator',
      { ALLOWED_ORIGINS: 'https://intranet.example.org' },
      { host: 'intranet.example.org', origin: 'https://intranet.example.org' },
    ],
  ])('%s', async (_name, env, headers) => {
    const { publicOrigin, allowedOrigins, trustProxy } = parseEnv(env);
    await using app = await startApp({ config: { publicOrigin, allowedOrigins, trustProxy } });
    const { signUp, page, polling, websocket } = await answers(app.url, headers);
    expect(page.status).not.toBe(421); // 404 where the page was not built
    expect([signUp.status, polling.status, websocket.status]).toEqual([201, 200, 101]);
    expect(signUp.headers['set-cookie']).toHaveLength(1);
  });
});
