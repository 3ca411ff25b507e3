/** The whole log of a real server at its most talkative level, while people chat: what it says of requests, and what it never says. */
import { expect, test } from 'vitest';
import { connectClient, newId, post, signUp, text } from '../support/api.ts';
import { startServer } from '../support/serverProcess.ts';
import { waitFor } from '../support/waitFor.ts';

type Line = Record<string, unknown>;

test('at `trace` each request is one line with an id, and there is no text, name, password, token or address', async () => {
  await using server = await startServer({ env: { LOG_LEVEL: 'trace' } });
  const lines = (): Line[] =>
    server
      .logs()
      .split('\n')
      .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
  const ada = await signUp(server.url, 'Marker Ada', { password: 'marker password' });
  const bo = await signUp(server.url, 'Marker Bo');
  using one = await connectClient(server.url, ada);
  using other = await connectClient(server.url, bo, { transports: ['polling', 'websocket'] });
  const room = newId();
  await one.makeRoom({ id: room, kind: 'private', name: 'marker room' });
  const key = newId();
  await one.append({ ...text('marker text'), clientOffset: key });
  await other.hears('marker text');
  await one.append(
    { kind: 'edit', room: 'lobby', clientOffset: newId(), target: key, body: 'marker edit' } as never,
    text('marker bad', 'marker-no-room'),
    { kind: 'marker kind' } as never,
  );
  await one.request('room:about', { room, about: { name: 'marker about' } } as never);
  await other.request('person', { name: 'marker ada' } as never);
  one.socket.emit('typing', { room: 'lobby', typing: true });
  one.socket.emit('marker event', 'marker argument');
  await one.socket.timeout(5_000).emitWithAck('marker request', 'marker argument');
  const bearer = { authorization: `Bearer ${ada.token}` };
  await post(server.url, '/api/append', { as: ada.user.id, items: [text('marker over HTTP')] }, bearer);
  await post(server.url, '/api/session', { name: 'Marker Ada', password: 'marker wrong', claim: newId() });
  await post(server.url, '/api/append', '{"marker": broken', bearer);
  await fetch(`${server.url}/api/rooms/marker?marker=1`, { headers: { cookie: 'marker=1', ...bearer } });
  await fetch(`${server.url}/marker-path`, { headers: { 'user-agent': 'marker agent' } });
  const gone = other.socket.id!;
  other.close();
  await waitFor('the last line', () =>
    lines().some(({ socket, msg }) => socket === gone && msg === 'socket disconnected'),
  );

  const requests = lines().filter(({ msg }) => msg === 'request');
  const ids = requests.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  const ofOne = requests.filter(({ id }) => String(id).startsWith(`${one.socket.id}/`));
  expect(ofOne.map(({ request, code }) => `${request}: ${code}`)).toEqual(
    expect.arrayContaining(['append: ok', 'typing: no answer', 'other: no answer', 'other: invalid']),
  );
  expect(ofOne).toHaveLength(7);
  expect(requests).toContainEqual(
    expect.objectContaining({ id: expect.stringMatching(/^http\/\d+$/), method: 'POST', status: 200 }),
  );
  expect(lines().filter(({ level }) => level === 'error' || level === 'warn')).toEqual([]);

  const log = server.logs().toLowerCase();
  for (const secret of ['marker', ada.token, bo.token, ada.user.id, bo.user.id, room, key, ada.device.id])
    expect(log).not.toContain(secret.toLowerCase());
});

test('above `debug` a request that succeeds, or that a client did wrong, is no line', async () => {
  await using server = await startServer({ env: { LOG_LEVEL: 'info', AUDIT_LOG: 'off' } });
  using ada = await connectClient(server.url, await signUp(server.url, 'Ada'));
  await ada.append(text('hello'));
  await ada.request('room:get', { room: newId() } as never);
  expect(
    server
      .logs()
      .split('\n')
      .filter((line) => line.startsWith('{')),
  ).toEqual([]);
});
