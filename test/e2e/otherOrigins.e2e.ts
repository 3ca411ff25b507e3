/**
 * Pages of other origins (ALLOWED_ORIGINS), in a real browser: by websocket and by long polling, with and without credentials.
 * The page is at `localhost` and the server at 127.0.0.1: another origin, and another site; or at another port of 127.0.0.1:
 * another origin of the same site, so that browsers send the cookie.
 */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { PROTOCOL, REQUIRED_FEATURE } from '../../shared/protocol/version.ts';
import { newId } from '../support/api.ts';
import { startServer } from '../support/serverProcess.ts';
import { ROOT } from '../support/tools.ts';
import { expect, test } from './fixtures.ts';

const CLIENT = join(ROOT, 'node_modules/socket.io-client/dist/socket.io.min.js');

/** An empty page with socket.io-client, at two origins. */
async function servePages(host = 'localhost') {
  const script = await readFile(CLIENT);
  const server = createServer((request, response) => {
    const isScript = request.url === '/client.js';
    response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html; charset=utf-8');
    response.end(
      isScript ? script : '<!doctype html><title>A page</title><script src="/client.js"></script>',
    );
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://${host}:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Attempt {
  url: string;
  transport: 'websocket' | 'polling';
  withCredentials: boolean;
  /** Undefined: of nobody, or of whom the cookie says. */
  token: string | undefined;
  extraHeaders?: Record<string, string>;
}

/** What the page hears: the name of the user and the result of an append, or why it cannot connect. */
function talk(
  page: Page,
  { url, transport, withCredentials, token, extraHeaders = {} }: Attempt,
): Promise<string> {
  const auth = { protocol: PROTOCOL, features: [REQUIRED_FEATURE], token };
  const item = { room: 'lobby', clientOffset: newId(), kind: 'text', body: `by ${transport}` };
  return page.evaluate(
    ([to, options, said]) =>
      new Promise<string>((resolve) => {
        // biome-ignore lint/suspicious/noExplicitAny: socket.io-client, from its script
        const socket = (window as any).io(to, { ...options, reconnection: false, forceNew: true });
        const end = (what: string) => {
          socket.close();
          resolve(what);
        };
        socket.on('connect_error', (error: Error & { data?: { code: string } }) =>
          end(error.data?.code ?? error.message),
        );
        socket.on('welcome', ({ user }: { user: { id: string; name: string } }) =>
          socket.emit('append', { as: user.id, items: [said] }, (answer: { ok: boolean }) =>
            end(`${user.name} ${answer.ok}`),
          ),
        );
      }),
    [url, { transports: [transport], withCredentials, auth, extraHeaders }, item] as const,
  );
}

/** Signs up by a request of the page; the token, or why it failed as the page sees it. */
function signUpFrom(page: Page, url: string, name: string, credentials: 'include' | 'omit'): Promise<string> {
  const body = JSON.stringify({ name, claim: newId(), credential: 'token' });
  return page.evaluate(
    async ([to, content, how]) => {
      const headers = { 'Content-Type': 'application/json' };
      const answer = await fetch(`${to}/api/session`, {
        method: 'POST',
        headers,
        body: content,
        credentials: how,
      }).catch((error: Error) => error);
      return answer instanceof Error ? answer.name : ((await answer.json()) as { token: string }).token;
    },
    [url, body, credentials] as const,
  );
}

const WAYS = (['websocket', 'polling'] as const).flatMap((transport) =>
  [true, false].map((withCredentials) => ({ transport, withCredentials })),
);

test('a page of ALLOWED_ORIGINS signs up and talks, by websocket and by polling, with and without credentials', async ({
  browser,
}) => {
  await using pages = await servePages();
  const server = await startServer({ env: { ALLOWED_ORIGINS: pages.origin } });
  const page = await (await browser.newContext()).newPage();
  await page.goto(pages.origin);
  for (const [name, credentials] of [
    ['Ada', 'include'],
    ['Lin', 'omit'],
  ] as const) {
    const token = await signUpFrom(page, server.url, name, credentials);
    expect(token).toMatch(/^[\w-]{22,}$/);
    for (const way of WAYS) expect(await talk(page, { url: server.url, token, ...way })).toBe(`${name} true`);
  }
  for (const way of WAYS)
    expect(await talk(page, { url: server.url, token: undefined, ...way })).toBe('unauthorized');
  await page.context().close();
  await server.dispose();
});

test('a page of ALLOWED_ORIGINS on the same site talks by the cookie, where it is sent, and by long polling with a header of its own', async ({
  browser,
}) => {
  await using pages = await servePages('127.0.0.1');
  const server = await startServer({ env: { ALLOWED_ORIGINS: pages.origin } });
  const page = await (await browser.newContext()).newPage();
  await page.goto(pages.origin);
  const { url } = server;
  const status = await page.evaluate(
    async ([to, body]) => {
      const headers = { 'Content-Type': 'application/json' };
      const answer = await fetch(`${to}/api/session`, {
        method: 'POST',
        headers,
        body,
        credentials: 'include',
      });
      return answer.status;
    },
    [url, JSON.stringify({ name: 'Ada', claim: newId(), credential: 'cookie' })] as const,
  );
  expect(status).toBe(201);
  for (const transport of ['websocket', 'polling'] as const)
    expect(await talk(page, { url, transport, withCredentials: true, token: undefined })).toBe('Ada true');
  const polling = { url, transport: 'polling', token: undefined } as const;
  expect(await talk(page, { ...polling, withCredentials: false })).toBe('unauthorized');
  const extraHeaders = { 'my-custom-header': 'abcd' };
  expect(await talk(page, { ...polling, withCredentials: true, extraHeaders })).toBe('Ada true');
  await page.context().close();
  await server.dispose();
});

test('a page of another origin reads no answer and gets no connection, whatever it sends; the server says why in its answer', async ({
  browser,
}) => {
  await using pages = await servePages();
  const server = await startServer({ env: { ALLOWED_ORIGINS: 'https://friend.example' } });
  const page = await (await browser.newContext()).newPage();
  await page.goto(pages.origin);
  const answers: number[] = [];
  page.on(
    'response',
    (response) => response.url().includes('/api/session') && answers.push(response.status()),
  );
  for (const credentials of ['include', 'omit'] as const)
    expect(await signUpFrom(page, server.url, 'Eve', credentials)).toBe('TypeError');
  for (const way of WAYS)
    expect(await talk(page, { url: server.url, token: newId(), ...way })).toMatch(
      /^(websocket error|xhr poll error)$/,
    );
  const foreign = { origin: pages.origin, 'content-type': 'application/json' };
  const refused = await fetch(`${server.url}/api/session`, { method: 'POST', headers: foreign, body: '{}' });
  expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([403, null]);
  expect(await refused.json()).toMatchObject({ error: { code: 'forbidden' } });
  await page.context().close();
  await server.dispose();
});
