/** What is refused before Koa and Engine.IO, as a page of ALLOWED_ORIGINS sees it. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { URL_MAX_LENGTH } from '../../../server/base/serverLimits.ts';
import { createLimiter } from '../../../server/limits/limiter.ts';
import {
  createRequestBound,
  guardRequests,
  tooManyRequests,
  URL_TOO_LONG,
} from '../../../server/request/requestGuard.ts';
import { createWebServer } from '../../../server/request/webServer.ts';
import { startApp } from '../../support/app.ts';
import { makeCertificate } from '../../support/certificate.ts';
import { openHttp2 } from '../../support/http2.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { ask } from '../http/serve.ts';

const FRIEND = 'https://friend.example';
const READABLE = {
  'access-control-allow-origin': FRIEND,
  'access-control-allow-credentials': 'true',
  'access-control-expose-headers': 'Retry-After',
  vary: 'Origin',
};

async function refusing(why: Parameters<typeof guardRequests>[2], allowed = [FRIEND]) {
  const http = createServer((_, response) => response.end('in'));
  guardRequests(http, allowed, why);
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => void http.close(),
  };
}

test.each([
  ['429', () => tooManyRequests(1_500), 429],
  ['414', () => URL_TOO_LONG, 414],
])(
  'a page of ALLOWED_ORIGINS may read a %s and when to come back, other pages may not',
  async (_, why, status) => {
    await using server = await refusing(why);
    const preflight = {
      origin: FRIEND,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization',
    };
    const allowed = await ask(server.url, 'OPTIONS', '/api/append', { headers: preflight });
    expect(allowed.status).toBe(204);
    expect(allowed.headers).toMatchObject({
      ...READABLE,
      'access-control-allow-methods': expect.stringContaining('POST'),
      'access-control-allow-headers': 'authorization',
    });
    const refused = await ask(server.url, 'POST', '/api/append', { headers: { origin: FRIEND } });
    expect(refused.status).toBe(status);
    expect(refused.headers).toMatchObject({ ...READABLE, ...(status === 429 && { 'retry-after': '2' }) });
    const foreign = { ...preflight, origin: 'https://evil.example' };
    for (const method of ['OPTIONS', 'POST']) {
      const answer = await ask(server.url, method, '/api/append', { headers: foreign });
      expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([status, undefined]);
    }
    await using plain = await refusing(why, []);
    const { headers } = await ask(plain.url, 'POST', '/api/append', { headers: { origin: FRIEND } });
    expect(Object.keys(headers).filter((name) => /^(access-control|vary)/.test(name))).toEqual([]);
  },
);

test('a request that is refused ends its connection of HTTP/2 (GOAWAY), also a preflight, so that the limits of connections hold', async () => {
  await using folder = await temporaryFolder();
  const http = createWebServer(makeCertificate(folder.path, 'own'), (_, response) => void response.end('in'));
  guardRequests(http, [FRIEND], () => tooManyRequests(1_500));
  http.listen(0, '127.0.0.1');
  onTestFinished(() => void http.close());
  await once(http, 'listening');
  const url = `https://127.0.0.1:${(http.address() as AddressInfo).port}`;
  for (const [method, status] of [
    ['OPTIONS', 204],
    ['POST', 429],
  ] as const) {
    const client = openHttp2(url);
    onTestFinished(client.close);
    const told = once(client.session, 'goaway', { signal: AbortSignal.timeout(5_000) });
    const asked = { origin: FRIEND, 'access-control-request-method': 'POST' };
    const answer = await client.request({ ':method': method, ':path': '/api/append', ...asked });
    expect(answer.status).toBe(status);
    await told;
  }
});

test('requests with a URL that is too long count as all others do', () => {
  const hits: unknown[] = [];
  const bound = createRequestBound({
    limiter: createLimiter({ perSecond: 1, burst: 2, now: () => 0 }),
    addressOf: () => 'address',
    onLimit: (...hit) => hits.push(hit),
  });
  const long = { url: `/${'x'.repeat(URL_MAX_LENGTH)}` } as IncomingMessage;
  const statuses = [long, { url: '/' } as IncomingMessage, long].map((request) => bound(request)?.status);
  expect(statuses).toEqual([414, undefined, 429]);
  expect(hits).toEqual([['requests of address', { address: 'address' }]]);
});

test('of the whole server: a page of ALLOWED_ORIGINS may read a 414 and a 421, of the API and of Engine.IO', async () => {
  await using app = await startApp({ config: { allowedOrigins: [FRIEND] } });
  const polling = '/socket.io/?EIO=4&transport=polling';
  for (const [path, host, status] of [
    [`/api/session?${'x'.repeat(3_000)}`, 'localhost', 414],
    [`${polling}&${'x'.repeat(3_000)}`, 'localhost', 414],
    ['/api/session', 'other.example', 421],
    [polling, 'other.example', 421],
  ] as const) {
    const answer = await ask(app.url, 'GET', path, { headers: { host, origin: FRIEND } });
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject({ ...READABLE, vary: expect.stringContaining('Origin') });
  }
});
