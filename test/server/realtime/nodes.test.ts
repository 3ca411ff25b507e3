/** Two server processes on one MongoDB. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { directRoomOf } from '../../../shared/directPair.ts';
import { LOBBY } from '../../../shared/mint.ts';
import type { Frame, Room, User } from '../../../shared/protocol/index.ts';
import {
  type ApiClient,
  connectClient,
  newId,
  post,
  type SignedUp,
  signUp,
  text,
} from '../../support/api.ts';
import { type RunningApp, startApp } from '../../support/app.ts';
import { type MongoServer, startMongo } from '../../support/mongo/index.ts';
import { waitFor } from '../../support/waitFor.ts';

let mongo: MongoServer;
let here: RunningApp;
let there: RunningApp;
beforeAll(async () => {
  mongo = await startMongo();
  [here, there] = await Promise.all([
    startApp({ mongodbUrl: mongo.url }),
    startApp({ mongodbUrl: mongo.url }),
  ]);
});
afterAll(async () => {
  await Promise.all([here?.stop(), there?.stop()]);
  await mongo?.[Symbol.asyncDispose]();
});

let names = 0;
const person = () => signUp(here.url, `person ${names++}`);
const bearer = ({ token }: SignedUp) => ({ authorization: `Bearer ${token}` });

const heardRooms = ({ frames }: ApiClient) =>
  frames.flatMap(({ event, payload }) =>
    event === 'room' ? [payload as { room?: Room; removed?: string }] : [],
  );

test('a message sent to one server arrives at the sockets of the other, and vice versa', async () => {
  using ada = await connectClient(here.url, await person());
  using bo = await connectClient(there.url, await person());
  await ada.append(text('from here'));
  await bo.hears('from here');
  await bo.append(text('from there'));
  await ada.hears('from there');
});

test('L3 a repeat sent to the other server has the result of the first append', async () => {
  const session = await person();
  using one = await connectClient(here.url, session);
  using two = await connectClient(there.url, session);
  const item = text('once');
  const first = await one.append(item);
  const again = await two.append(item);
  expect(first.ok && again.ok && again.results).toEqual(first.ok && first.results);
});

test('the welcome of one server has what the other has just acknowledged', async () => {
  const session = await person();
  using ada = await connectClient(here.url, await person());
  for (let n = 0; n < 20; n++) {
    const body = `just now ${n}`;
    const answer = await ada.append(text(body));
    const serverOffset = answer.ok ? answer.results[0] : undefined;
    using bo = await connectClient(there.url, session);
    await bo.hears(body);
    const lobby = bo.welcome.rooms.find(({ id }) => id === LOBBY);
    expect(lobby?.head).toBeGreaterThanOrEqual((serverOffset as { serverOffset: number }).serverOffset);
  }
});

test("a room joined or left on one server is added to or removed from the user's sockets on the other", async () => {
  const session = await person();
  using bo = await connectClient(there.url, session);
  using alsoBo = await connectClient(here.url, session);
  using ada = await connectClient(here.url, await person());
  const room = newId();
  await ada.makeRoom({ id: room, kind: 'public', name: 'a room' });
  await alsoBo.request('room:join', { room, clientOffset: newId() });
  await waitFor('the room is told', () => heardRooms(bo).some((frame) => frame.room?.id === room));
  await ada.append(text('for the room', room));
  await bo.hears('for the room', room);
  await alsoBo.request('room:leave', { room, clientOffset: newId() });
  await waitFor('the leave is told', () => heardRooms(bo).some(({ removed }) => removed === room));
});

test('whom a moderator removes on one server is told so on the other, hears nothing more there, and can neither write nor read there', async () => {
  using mika = await connectClient(here.url, await person());
  using bo = await connectClient(there.url, await person());
  const room = newId();
  await mika.makeRoom({ id: room, kind: 'public', name: 'a room' });
  await bo.joins(room);
  await mika.append(text('before', room));
  await bo.hears('before', room);
  const whom = { room, clientOffset: newId(), user: bo.session.user.id };
  await waitFor('the join is known here', async () => (await mika.request('room:remove', whom)).ok);
  await waitFor('the removal is told', () =>
    bo.frames.some(
      ({ event, payload }) =>
        event === 'room' && (payload as { reason?: string; removed?: string }).reason === 'out-removed',
    ),
  );
  await mika.append(text('after', room));
  await mika.hears('after', room);
  const written = await bo.append(text('still here', room));
  expect(written).toMatchObject({ results: [{ error: { code: 'forbidden' } }] });
  expect(await bo.request('range', { room, from: 1, to: 9 })).toMatchObject({ ok: false });
  await mika.append(text('the lobby'));
  await bo.hears('the lobby');
  expect(bo.heard(room).some((entry) => 'body' in entry && entry.body === 'after')).toBe(false);
});

test('a direct conversation that both begin at once, on two servers, is one, and is told at once to the sockets of both', async () => {
  using ada = await connectClient(here.url, await person());
  using bo = await connectClient(there.url, await person());
  using phone = await connectClient(here.url, bo.session);
  const room = directRoomOf(ada.session.user.id, bo.session.user.id);
  await Promise.all([ada.append(text('from ada', room)), bo.append(text('from bo', room))]);
  for (const client of [ada, bo, phone])
    await waitFor('both messages', () => client.heard(room).length === 2);
  for (const client of [bo, phone])
    expect(heardRooms(client).find((frame) => frame.room?.id === room)?.room).toMatchObject({
      kind: 'direct',
      name: ada.session.user.name,
      members: 2,
    });
});

test("a sign-out on one server ends the device's sockets on the other, and only those", async () => {
  const session = await person();
  using ada = await connectClient(there.url, session);
  using bo = await connectClient(there.url, await person());
  const gone = new Promise((resolve) => ada.socket.once('disconnect', resolve));
  await fetch(`${here.url}/api/session`, { method: 'DELETE', headers: bearer(session) });
  expect(await gone).toBe('io server disconnect');
  expect(bo.socket.connected).toBe(true);
});

test("a change of the password on one server ends the other devices' sockets on the other, and only those", async () => {
  const name = `person ${names++}`;
  const [phone, laptop] = [
    await signUp(here.url, name, { password: 'before' }),
    await signUp(here.url, name, { password: 'before' }),
  ];
  using stolen = await connectClient(there.url, phone);
  using own = await connectClient(there.url, laptop);
  const gone = new Promise((resolve) => stolen.socket.once('disconnect', resolve));
  await fetch(`${here.url}/api/password`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', ...bearer(laptop) },
    body: JSON.stringify({ password: 'after', current: 'before' }),
  });
  expect(await gone).toBe('io server disconnect');
  expect(own.socket.connected).toBe(true);
  await expect(connectClient(there.url, phone)).rejects.toMatchObject({
    data: { code: 'unauthorized', reason: 'signed-out' },
  });
});

test("a read marker reaches the user's sockets on the other server", async () => {
  const session = await person();
  using one = await connectClient(here.url, session);
  using two = await connectClient(there.url, session);
  await one.append(text('read it'));
  const { serverOffset: upTo } = await one.hears('read it');
  await one.request('read', { room: LOBBY, upTo });
  const mark = { room: LOBBY, user: session.user.id, upTo };
  await waitFor('the mark', () =>
    two.frames.some(
      ({ event, payload }) => event === 'read' && JSON.stringify(payload) === JSON.stringify(mark),
    ),
  );
});

test('a read marker of one server reaches the other members on the other, who ask for it there as well', async () => {
  using ada = await connectClient(here.url, await person());
  using bo = await connectClient(there.url, await person());
  const room = newId();
  await ada.makeRoom({ id: room, kind: 'public', name: 'a room' });
  await bo.request('room:join', { room, clientOffset: newId() });
  await ada.append(text('read it too', room));
  const { serverOffset: upTo } = await bo.hears('read it too', room);
  await bo.request('read', { room, upTo });
  const user = bo.session.user.id;
  const told = () =>
    ada.frames.filter(
      ({ event, payload }) => event === 'readers' && (payload as Frame<'readers'>).room === room,
    );
  await waitFor('ada is told', () => told().length > 0);
  expect(told()[0]?.payload).toEqual({ room, readers: { [user]: upTo } });
  await waitFor('it is stored', async () => {
    const answer = await ada.request('readers', { room });
    return answer.ok && answer.readers[user] === upTo;
  });
});

test('a new name reaches those who share a room on both servers; the fourth of a day is refused by either', async () => {
  const session = await person();
  using near = await connectClient(here.url, await person());
  using far = await connectClient(there.url, await person());
  const rename = (url: string, name: string) =>
    fetch(`${url}/api/name`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json', ...bearer(session) },
      body: JSON.stringify({ name }),
    });
  const servers = [here, there, here, there];
  const answers: { error?: { code: string } }[] = [];
  for (const [i, { url }] of servers.entries())
    answers.push(await (await rename(url, `${i} of ${session.user.name}`)).json());
  expect(answers.map(({ error }) => error?.code)).toEqual([undefined, undefined, undefined, 'forbidden']);
  for (const { frames } of [near, far])
    await waitFor('the last name', () =>
      frames.some(
        ({ event, payload }) =>
          event === 'user' && (payload as { user: User }).user.name === `2 of ${session.user.name}`,
      ),
    );
});

test('a sign of typing on one server reaches the members on the other, and nobody else', async () => {
  using ada = await connectClient(here.url, await person());
  using bo = await connectClient(there.url, await person());
  using stranger = await connectClient(there.url, await person());
  const room = newId();
  await ada.makeRoom({ id: room, kind: 'public', name: 'a room' });
  await bo.request('room:join', { room, clientOffset: newId() });
  await waitFor('both are in', () => [ada, bo].every((one) => one.heard(room).length === 2));
  const signs = ({ frames }: ApiClient) => frames.filter(({ event }) => event === 'typing');
  await waitFor('a sign', async () => {
    ada.socket.emit('typing', { room, typing: true }); // it may be lost
    await new Promise((resolve) => setTimeout(resolve, 100));
    return signs(bo).length > 0;
  });
  expect(signs(bo)[0]?.payload).toEqual({ room, user: ada.session.user.id, typing: true });
  await ada.append(text('after it'));
  await stranger.hears('after it');
  expect([...signs(ada), ...signs(stranger)]).toEqual([]);
});

test('one sign-in sent to both servers at once makes one device', async () => {
  const password = 'correct horse battery';
  const name = `person ${names++}`;
  await signUp(here.url, name, { password });
  const body = { name, password, claim: newId(), credential: 'token' };
  const answers = await Promise.all([here, there].map(({ url }) => post(url, '/api/session', body)));
  const sessions = (await Promise.all(answers.map((answer) => answer.json()))) as SignedUp[];
  expect(answers.map(({ status }) => status)).toEqual([201, 201]);
  expect(sessions[0]!.device).toEqual(sessions[1]!.device);
  expect(Math.max(...sessions.map((session) => (session as unknown as { devices: number }).devices))).toBe(2);
});

test('while the database is killed and restarted, both servers report it, stay up, and recover', {
  timeout: 60_000,
}, async () => {
  const session = await person();
  using ada = await connectClient(here.url, await person());
  using bo = await connectClient(there.url, session);
  const ready = (expected: boolean) =>
    waitFor(`both are ready: ${expected}`, async () => {
      const answers = await Promise.all([here, there].map(({ url }) => fetch(`${url}/readyz`)));
      return answers.every(({ ok }) => ok === expected);
    });
  await ready(true);
  await mongo.kill9();
  await ready(false);
  const refused = await ada.append(text('not now'));
  expect(refused.ok ? refused.stopped?.code : refused.error.code).toBe('unavailable');
  await mongo.start();
  await ready(true);
  const item = text('back again');
  await waitFor('it is taken', async () => {
    const answer = await ada.append(item);
    return answer.ok && answer.results.length === 1;
  });
  await bo.hears('back again');

  // Ephemeral messages may be lost until the adapter's stream is open again.
  using alsoBo = await connectClient(here.url, session);
  const marks = () => bo.frames.filter(({ event }) => event === 'read').length;
  await waitFor('a mark of the other server', async () => {
    await alsoBo.request('read', { room: LOBBY, upTo: 1 });
    return marks() > 0;
  });
});

test('two owners who demote each other at two servers at the same moment: the room has one', async () => {
  using ada = await connectClient(here.url, await person());
  using bo = await connectClient(there.url, await person());
  const id = newId();
  await ada.makeRoom({ id, kind: 'public', name: 'Ward 5' });
  await bo.request('room:join', { room: id, clientOffset: newId() });
  const give = (by: ApiClient, user: User, role: 'owner' | 'member') =>
    by.request('room:role', { room: id, clientOffset: newId(), user: user.id, role });
  expect(await give(ada, bo.session.user, 'owner')).toMatchObject({ ok: true });
  const answers = await Promise.all([
    give(ada, bo.session.user, 'member'),
    give(bo, ada.session.user, 'member'),
  ]);
  expect(answers.map(({ ok }) => ok).toSorted()).toEqual([false, true]);
  for (const client of [ada, bo]) {
    const roles = await client.request('room:roles', { room: id });
    expect(Object.values((roles.ok && roles.roles) || {})).toEqual(['owner']);
  }
});

test('whom a keeper suspends at one server cannot connect, read, write or sign in at the other within seconds, until it is lifted', async () => {
  const [keeper, ada] = [await person(), await person()];
  await here.store.keepers.add(keeper.user.id, 1);
  const call = (server: RunningApp, by: SignedUp, method: string, path: string, body?: unknown) =>
    fetch(`${server.url}/api${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...bearer(by) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  const change = async (body: object) =>
    (await call(here, keeper, 'PUT', `/people/${ada.user.id}`, body)).status;
  await call(there, ada, 'PUT', '/password', { password: 'a long secret' });
  const lobby = '/rooms/lobby/entries?from=1&to=1';
  const append = () => call(there, ada, 'POST', '/append', { as: ada.user.id, items: [text('waits')] });
  expect((await append()).status).toBe(200);
  const live = await connectClient(there.url, ada);
  const other = await connectClient(here.url, ada);
  const gone = Promise.all(
    [live, other].map(({ socket }) => new Promise((end) => socket.once('disconnect', end))),
  );

  await waitFor('the role', async () => (await change({ suspend: true })) === 200);
  await gone;
  const suspended = { code: 'unavailable', reason: 'out-suspended', retryAfter: expect.any(Number) };
  await waitFor('the other server', async () => (await append()).status === 503);
  for (const server of [here, there]) {
    await expect(connectClient(server.url, ada)).rejects.toMatchObject({ data: suspended });
    const read = await call(server, ada, 'GET', lobby);
    expect((await read.json()).error).toMatchObject(suspended);
    for (const [password, error] of [
      ['a long secret', suspended],
      ['another secret', { code: 'unauthorized' }], // only who knows the password learns it
    ] as const) {
      const claim = newId();
      const again = { name: ada.user.name, password, claim, credential: 'token' };
      expect((await (await post(server.url, '/api/session', again)).json()).error).toMatchObject(error);
    }
  }

  expect(await change({ suspend: false })).toBe(200);
  await waitFor('the other server', async () => (await append()).status === 200);
  using back = await connectClient(there.url, ada);
  expect(back.welcome.user.id).toBe(ada.user.id);
});

test('a suspension whose message to the other server was lost ends the sockets there all the same', async () => {
  const ada = await person();
  const live = await connectClient(there.url, ada);
  const gone = new Promise((end) => live.socket.once('disconnect', end));
  await here.store.keepers.suspend(ada.user.id, 1); // without a message
  await gone;
});

test('who hides what they have read at one server is not told of others at the other one, and the others ask again there', async () => {
  const [ada, bo, cy] = [await person(), await person(), await person()];
  using adaHere = await connectClient(here.url, ada);
  using boThere = await connectClient(there.url, bo);
  using cyThere = await connectClient(there.url, cy);
  using boHere = await connectClient(here.url, bo);
  const readersAt = ({ frames }: ApiClient) =>
    frames.flatMap(({ event, payload }) => (event === 'readers' ? [payload as Frame<'readers'>] : []));
  const room = newId();
  await adaHere.makeRoom({ id: room, kind: 'public', name: 'a room' });
  for (const one of [boThere, cyThere]) await one.request('room:join', { room, clientOffset: newId() });
  await adaHere.append(text('read this', room));
  for (const one of [boThere, cyThere]) await one.hears('read this', room);
  expect(await boHere.request('readers:show', { show: false })).toMatchObject({ shown: false });
  await waitFor('cy is to ask again', () => readersAt(cyThere).some((one) => one.room === room && one.again));
  const own = ada.user.id;
  await adaHere.request('read', { room, upTo: 4 });
  await waitFor('cy is told', () =>
    readersAt(cyThere).some((one) => one.room === room && one.readers[own] === 4),
  );
  for (const device of [boHere, boThere])
    expect(readersAt(device).filter((one) => one.room === room && own in one.readers)).toEqual([]);
});
