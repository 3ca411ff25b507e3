import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { newId } from '../../support/api.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { ROOT } from '../../support/tools.ts';
import { ask, serve } from './serve.ts';

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

async function signedUp(url: string) {
  const body = { name: 'Ada', claim: newId(), credential: 'token' };
  return (await ask(url, 'POST', '/api/session', { body })).json;
}

const use = (url: string, pass: string, credential = 'token', headers = {}) =>
  ask(url, 'POST', '/api/session/pass', { headers, body: { pass, claim: newId(), credential } });

test('a code of a signed-in device signs in another one, once', async () => {
  await using server = await serve();
  const ada = await signedUp(server.url);
  expect((await ask(server.url, 'POST', '/api/code')).status).toBe(401);
  const made = await ask(server.url, 'POST', '/api/code', bearer(ada.token));
  expect([made.status, made.headers['cache-control']]).toEqual([201, 'no-store']);
  expect(made.json.expiresAt).toBeGreaterThan(Date.now());
  const used = await use(server.url, made.json.code);
  expect([used.status, used.json.user, used.json.devices]).toEqual([201, ada.user, 2]);
  const session = await ask(server.url, 'GET', '/api/session', bearer(used.json.token));
  expect(session.json).toMatchObject({ user: ada.user, device: used.json.device });
  const again = await use(server.url, made.json.code);
  expect([again.status, again.json.error.code]).toEqual([401, 'unauthorized']);
});

test('a recovery code signs in by the name, and is 128 bits or invalid', async () => {
  await using server = await serve();
  const ada = await signedUp(server.url);
  const signIn = (recovery: unknown) =>
    ask(server.url, 'POST', '/api/session', {
      body: { name: 'Ada', recovery, signOutOthers: true, claim: newId(), credential: 'token' },
    });
  expect((await ask(server.url, 'POST', '/api/recovery-code')).status).toBe(401);
  const made = await ask(server.url, 'POST', '/api/recovery-code', bearer(ada.token));
  expect([made.status, made.headers['cache-control']]).toEqual([201, 'no-store']);
  expect((await signIn(newId())).json.error.code).toBe('unauthorized');
  for (const bad of ['', 'x'.repeat(10_000), 7, null])
    expect((await signIn(bad)).json.error.code).toBe('invalid');
  const used = await signIn(made.json.code);
  expect([used.status, used.json.user, used.json.devices]).toEqual([201, ada.user, 1]);
  const old = await ask(server.url, 'GET', '/api/session', bearer(ada.token));
  expect(old.json.error).toMatchObject({ code: 'unauthorized', reason: 'signed-out' });
});

test('a cookie is for pages of this server only', async () => {
  await using server = await serve();
  const ada = await signedUp(server.url);
  const { code } = (await ask(server.url, 'POST', '/api/code', bearer(ada.token))).json;
  expect((await use(server.url, code, 'cookie')).status).toBe(403);
  expect((await use(server.url, code, 'cookie', { origin: 'http://evil.example' })).status).toBe(403);
  const used = await use(server.url, code, 'cookie', { origin: server.url });
  expect([used.status, used.json.token]).toEqual([201, undefined]);
  expect(used.headers['set-cookie']?.[0]).toContain('HttpOnly; SameSite=Strict');
});

test('the manifest of a signed-in page starts the app with a pass; that of another page does not', async () => {
  await using folder = await temporaryFolder();
  await mkdir(join(folder.path, 'dist'));
  await cp(join(ROOT, 'public'), join(folder.path, 'dist'), { recursive: true });
  for (const name of ['index.html', 'sw.js'])
    await cp(join(ROOT, 'public/manifest.webmanifest'), join(folder.path, 'dist', name));
  await using server = await serve({ folder: join(folder.path, 'dist') });
  const manifest = (headers = {}) => ask(server.url, 'GET', '/api/manifest.webmanifest', { headers });
  const ada = await signedUp(server.url);

  const plain = await manifest();
  expect([plain.status, plain.json.start_url]).toEqual([200, '/']);
  const own = await manifest(bearer(ada.token).headers);
  expect(own.headers).toMatchObject({
    'content-type': 'application/manifest+json; charset=utf-8',
    'cache-control': 'no-store',
    vary: 'Cookie, Authorization',
  });
  const { start_url, ...rest } = own.json;
  expect(plain.json).toEqual({ ...rest, start_url: '/' });
  const pass = /^\/#\/pass\/([\w-]{22})$/.exec(start_url)?.[1];
  expect((await use(server.url, pass!)).json.user).toEqual(ada.user);

  const { code } = (await ask(server.url, 'POST', '/api/code', bearer(ada.token))).json;
  const page = await use(server.url, code, 'cookie', { origin: server.url });
  const cookie = page.headers['set-cookie']![0]!.split(';')[0]!;
  expect((await manifest({ cookie })).json.start_url).toContain('/#/pass/');
  expect((await manifest({ cookie, origin: 'http://evil.example' })).status).toBe(403);
});

test('a manifest that is not built is not found', async () => {
  await using server = await serve();
  expect((await ask(server.url, 'GET', '/api/manifest.webmanifest')).status).toBe(404);
});
