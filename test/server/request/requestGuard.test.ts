/** What is refused before Koa and Engine.IO, as a page of ALLOWED_ORIGINS sees it. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { guardRequests, tooManyRequests, URL_TOO_LONG } from '../../../server/request/requestGuard.ts';
import { startApp } from '../../support/app.ts';
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
