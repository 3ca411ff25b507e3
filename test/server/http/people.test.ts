import { expect, test } from 'vitest';
import { newId } from '../../support/api.ts';
import { ask, serve } from './serve.ts';

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

async function start() {
  const server = await serve();
  const call = (by: { token: string } | undefined, method: string, path: string, body?: unknown) =>
    ask(server.url, method, `/api${path}`, {
      ...(body !== undefined && { body }),
      headers: by ? bearer(by.token) : {},
    });
  const signUp = async (name: string) =>
    (await call(undefined, 'POST', '/session', { name, claim: newId(), credential: 'token' })).json;
  const [kim, ada, adele] = [await signUp('Kim'), await signUp('Ada'), await signUp('Adele')];
  await server.keepers.add(kim.user.id, 1);
  return { server, call, kim, ada, adele, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

test('a keeper finds people, renames them, signs them out, and gives and takes the role; nobody else does', async () => {
  await using started = await start();
  const { call, kim, ada, adele } = started;
  const person = (of: { user: { id: string } }) => `/people/${of.user.id}`;

  for (const [method, path, body] of [
    ['GET', '/people?name=a'],
    ['PUT', person(kim), { signOut: true }],
    ['GET', '/server'],
  ] as const) {
    expect((await call(undefined, method, path, body)).status).toBe(401);
    expect((await call(ada, method, path, body)).status).toBe(403);
  }
  const found = async (name: string) => (await call(kim, 'GET', `/people?name=${name}`)).json.people;
  expect(await found('AD')).toMatchObject([
    { user: { name: 'Ada' }, devices: 1, keeper: false, seenAt: expect.any(Number) },
    { user: { name: 'Adele' } },
  ]);
  expect(await found('Adel')).toHaveLength(1);
  expect(await found('x'.repeat(5_000))).toEqual([]);
  expect(await found('')).toHaveLength(3);

  const change = async (of: typeof ada, body: unknown) => (await call(kim, 'PUT', person(of), body)).status;
  expect(await change(ada, { name: 'adele' })).toBe(409);
  expect(await change(ada, { name: '\u0007' })).toBe(400);
  expect(await change(ada, { signOut: 'yes' })).toBe(400);
  expect(await change({ ...ada, user: { id: newId() } }, { signOut: true })).toBe(404);
  for (const name of ['A', 'B', 'C', 'D']) expect(await change(ada, { name })).toBe(200); // her own three are left
  expect((await call(ada, 'PUT', '/name', { name: 'Ada' })).json.user.name).toBe('Ada');
  expect((await call(ada, 'GET', '/session')).status).toBe(200);
  expect(await change(ada, { signOut: true })).toBe(200);
  const gone = await call(ada, 'GET', '/session');
  expect([gone.status, gone.json.error.reason]).toEqual([401, 'signed-out']);
  expect(await change(kim, { signOut: true })).toBe(200); // not the device that asks

  expect(await change(kim, { keeper: false })).toBe(409);
  expect(await change(adele, { keeper: true })).toBe(200);
  expect((await found('adele'))[0].keeper).toBe(true);
  expect((await call(kim, 'GET', '/server')).json).toEqual({ freeBytes: 7, totalBytes: 9 });
  expect(await change(kim, { keeper: false })).toBe(200);
  expect((await call(kim, 'GET', '/people?name=')).status).toBe(403);
});

test('a keeper sees on which devices somebody is signed in, and signs one of them out', async () => {
  await using started = await start();
  const { call, kim, ada, adele } = started;
  const devices = `/people/${ada.user.id}/devices`;
  for (const [method, path] of [
    ['GET', devices],
    ['DELETE', `${devices}/${ada.device.id}`],
  ] as const) {
    expect((await call(undefined, method, path)).status).toBe(401);
    expect((await call(adele, method, path)).status).toBe(403);
  }
  expect((await call(kim, 'GET', devices)).json.devices).toMatchObject([
    { id: ada.device.id, current: false },
  ]);
  expect((await call(kim, 'GET', `/people/${newId()}/devices`)).status).toBe(404);
  expect((await call(kim, 'DELETE', `${devices}/${adele.device.id}`)).status).toBe(404); // another person's
  expect((await call(kim, 'DELETE', `${devices}/${ada.device.id}`)).status).toBe(200);
  const gone = await call(ada, 'GET', '/session');
  expect([gone.status, gone.json.error.reason]).toEqual([401, 'signed-out']);
  expect((await call(kim, 'DELETE', `${devices}/${ada.device.id}`)).status).toBe(404);
  expect((await call(kim, 'GET', devices)).json.devices).toEqual([]);
  expect((await call(adele, 'GET', '/session')).status).toBe(200);
});

test('a keeper suspends people and lifts it, but no keeper, and not themselves; who is suspended becomes no keeper', async () => {
  await using started = await start();
  const { call, kim, ada, adele } = started;
  const change = (of: typeof ada, body: unknown, by = kim) => call(by, 'PUT', `/people/${of.user.id}`, body);
  const refused = async (asked: ReturnType<typeof change>) => {
    const { status, json } = await asked;
    return [status, json.error.reason];
  };
  const found = async () => (await call(kim, 'GET', '/people?name=ada')).json.people[0];
  expect((await change(ada, { suspend: true }, adele)).status).toBe(403);
  expect((await found()).suspended).toBeUndefined();
  for (let n = 0; n < 2; n++) expect((await change(ada, { suspend: true })).status).toBe(200);
  expect(await found()).toMatchObject({ suspended: true, devices: 1 });
  expect(await refused(call(ada, 'GET', '/session'))).toEqual([503, 'out-suspended']);
  expect(await refused(change(ada, { keeper: true }))).toEqual([403, 'role-suspended']);
  expect(await refused(change(kim, { suspend: true }))).toEqual([403, 'role-yourself']);
  await change(adele, { keeper: true });
  expect(await refused(change(adele, { suspend: true }))).toEqual([403, 'role-keeper']);
  expect((await call(adele, 'GET', '/session')).status).toBe(200);
  for (let n = 0; n < 2; n++) expect((await change(ada, { suspend: false })).status).toBe(200);
  expect((await call(ada, 'GET', '/session')).status).toBe(200);
});

test('a suspension and the role of a keeper that cross leave no suspended keeper', async () => {
  await using started = await start();
  const { server, call, kim, ada, adele } = started;
  await call(kim, 'PUT', `/people/${adele.user.id}`, { keeper: true });
  const change = (by: typeof ada, body: unknown) => call(by, 'PUT', `/people/${ada.user.id}`, body);
  for (let n = 0; n < 5; n++) {
    await Promise.all([change(kim, { suspend: true }), change(adele, { keeper: true })]);
    const [keepers, suspended] = [await server.keepers.all(), await server.keepers.suspended()];
    expect(keepers.includes(ada.user.id) && suspended.includes(ada.user.id)).toBe(false);
    await server.keepers.lift(ada.user.id);
    await server.keepers.remove(ada.user.id);
  }
});
