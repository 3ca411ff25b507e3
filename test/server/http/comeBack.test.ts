import { expect, test } from 'vitest';
import { newId } from '../../support/api.ts';
import { ask, serve } from './serve.ts';

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

test('a person asks, a keeper decides, and bad input is refused', async () => {
  await using server = await serve();
  const call = (method: string, path: string, body?: unknown, headers = {}) =>
    ask(server.url, method, `/api${path}`, { ...(body !== undefined && { body }), headers });
  const signUp = async (name: string) =>
    (await call('POST', '/session', { name, claim: newId(), credential: 'token' })).json;
  const [kim, ada] = [await signUp('Kim'), await signUp('Ada')];
  expect((await call('POST', '/keeper')).status).toBe(401);
  expect((await call('POST', '/keeper', undefined, bearer(kim.token))).status).toBe(403); // not first in this store
  const none = await call('POST', '/come-back', { name: 'Ada' });
  expect([none.status, none.json.error.reason]).toEqual([403, 'no-keeper']);
  await server.keepers.add(kim.user.id, 1);

  for (const body of [{}, { name: 7 }, { name: 'x'.repeat(10_000) }])
    expect((await call('POST', '/come-back', body)).status).toBeGreaterThanOrEqual(400);
  for (const body of [{}, { request: 'short' }, { request: 7 }])
    expect((await call('POST', '/come-back/state', body)).json.error.code).toBe('invalid');
  expect((await call('POST', '/come-back/state', { request: newId() })).status).toBe(404);
  expect((await call('GET', '/come-back')).status).toBe(401);
  expect((await call('GET', '/come-back', undefined, bearer(ada.token))).status).toBe(403);
});
