/** The audit log of a real server: which events are lines, and that nothing in the whole output identifies anybody. */
import { expect, test } from 'vitest';
import { connectClient, newId, post, signUp } from '../support/api.ts';
import { type ServerProcess, startServer } from '../support/serverProcess.ts';
import { waitFor } from '../support/waitFor.ts';

type Line = Record<string, unknown>;

function auditOf(server: ServerProcess): Line[] {
  const lines = server.logs().split('\n');
  return lines.filter((line) => line.includes('"audit":true')).map((line) => JSON.parse(line));
}

const recorded = (server: ServerProcess, line: Line) =>
  waitFor(`an audit line ${JSON.stringify(line)}`, () =>
    auditOf(server).find((found) => Object.entries(line).every(([name, value]) => found[name] === value)),
  );

test('refused connections and exceeded limits are lines', async () => {
  await using server = await startServer({ env: { LOG_LEVEL: 'warn' } });
  const ada = await signUp(server.url, 'Ada Lovelace');
  await expect(connectClient(server.url, { ...ada, token: `${ada.token.slice(1)}x` })).rejects.toThrow();
  await recorded(server, { event: 'connection', outcome: 'refused', code: 'unauthorized' });

  await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`, {
    headers: { origin: 'http://evil.example' },
  });
  await recorded(server, { event: 'connection', outcome: 'refused', code: 'forbidden' });

  using client = await connectClient(server.url, ada);
  await Promise.all(Array.from({ length: 150 }, () => client.request('beat').catch(() => undefined)));
  const { user, address } = await recorded(server, { event: 'limit', outcome: 'refused', limit: 'frames' });
  expect([user, address]).toEqual([expect.stringMatching(/^[0-9a-f]{16}$/), expect.any(String)]);
});

test('sign-ups, sign-ins, sign-outs and passwords are lines, also those that are refused; no line or other output identifies anybody', async () => {
  await using server = await startServer();
  const ada = { name: 'Ada Lovelace', password: 'correct horse' };
  const signIn = (password: string) =>
    post(server.url, '/api/session', { ...ada, password, claim: newId(), credential: 'token' });
  const phone = await signUp(server.url, ada.name, { password: ada.password });
  const up = await recorded(server, { event: 'sign-up', outcome: 'done' });

  expect((await signIn('battery staple')).status).toBe(401);
  const failed = await recorded(server, { event: 'sign-in', outcome: 'refused', code: 'unauthorized' });
  const laptop = (await (await signIn(ada.password)).json()) as typeof phone;
  const done = await recorded(server, { event: 'sign-in', outcome: 'done' });
  expect([failed.name, done.name]).toEqual([up.name, up.name]);
  expect([failed.address, done.address]).toEqual([up.address, up.address]);
  expect([failed.user, done.user]).toEqual([undefined, up.user]);

  const asPhone = (method: string, path: string, body?: unknown) =>
    fetch(server.url + path, {
      method,
      headers: { authorization: `Bearer ${phone.token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  await asPhone('PUT', '/api/password', { password: 'x', current: 'battery staple' });
  await recorded(server, { event: 'password', outcome: 'refused', code: 'unauthorized', user: up.user });
  await asPhone('PUT', '/api/password', { password: 'new horse', current: ada.password });
  await recorded(server, { event: 'password', outcome: 'done', user: up.user });
  await asPhone('DELETE', '/api/session');
  await recorded(server, { event: 'sign-out', outcome: 'done', user: up.user, device: up.device });

  const secrets = [ada.name, 'lovelace', 'horse', 'staple', '127.0.0.1"', phone.user.id, phone.device.id];
  for (const secret of [...secrets, phone.token, laptop.token])
    expect(server.logs().toLowerCase()).not.toContain(secret.toLowerCase());
});

test('AUDIT_LOG=off writes no such line', async () => {
  await using server = await startServer({ env: { AUDIT_LOG: 'off' } });
  await post(server.url, '/api/session', { name: 'Ada', claim: newId(), credential: 'cookie' });
  expect(await server.stop()).toBe(0);
  expect(auditOf(server)).toEqual([]);
});
