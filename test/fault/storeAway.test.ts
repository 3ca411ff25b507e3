/** A store that fails during each kind of request: the client gets `unavailable`, and everything works again when the store is back. */
import { afterEach, describe, expect, test } from 'vitest';
import { type Store, Unavailable } from '../../server/store/port.ts';
import { LOBBY } from '../../shared/mint.ts';
import { connectClient, creation, newId, post, signUp, text, wholeLog } from '../support/api.ts';
import { type RunningApp, startApp } from '../support/app.ts';
import { waitFor } from '../support/waitFor.ts';

type Group = 'log' | 'users' | 'rooms';
type Fault = (real: () => Promise<unknown>) => Promise<unknown>;

/** A store whose methods can be made to fail, by `group.method`. */
function fragile() {
  const faults = new Map<string, Fault>();
  const groupOf = (store: Store, group: Group) =>
    new Proxy(store[group], {
      get(target, method: string) {
        const real = Reflect.get(target, method) as (...args: unknown[]) => Promise<unknown>;
        return (...args: unknown[]) => {
          const fault = faults.get(`${group}.${method}`);
          return fault ? fault(() => real(...args)) : real(...args);
        };
      },
    });
  const wrap = (store: Store): Store => ({
    ...store,
    log: groupOf(store, 'log') as Store['log'],
    users: groupOf(store, 'users') as Store['users'],
    rooms: groupOf(store, 'rooms') as Store['rooms'],
  });
  return { faults, wrap };
}

const away: Fault = () => Promise.reject(new Unavailable('away', 1_500));

let server: RunningApp | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

async function start() {
  const { faults, wrap } = fragile();
  server = await startApp({ wrap });
  const session = await signUp(server.url, 'Ada');
  return { faults, url: server.url, session };
}

const unavailable = expect.objectContaining({ code: 'unavailable', retryAfter: 1_500 });

describe('an unavailable store', () => {
  test('at the handshake: connect_error unavailable, and the next handshake succeeds', async () => {
    const { faults, url, session } = await start();
    faults.set('users.byToken', away);
    await expect(connectClient(url, session)).rejects.toMatchObject({ data: unavailable });
    faults.clear();
    using ada = await connectClient(url, session);
    expect(ada.welcome.user).toEqual(session.user);
  });

  test.each(['users.devicesAlive', 'rooms.ofUser', 'log.range', 'log.timesAt', 'users.names'])(
    'at the welcome (%s): the connection ends as a lost one would, so that the client comes back',
    async (method) => {
      const { faults, url, session } = await start();
      {
        using other = await connectClient(url, await signUp(url, 'Bo'));
        await other.append(text('one'));
        await other.hears('one');
      }
      faults.set(method, away);
      const { io } = await import('socket.io-client');
      const socket = io(url, {
        transports: ['websocket'],
        forceNew: true,
        reconnection: false,
        auth: { protocol: 1, features: ['entries2'], token: session.token, cursors: { [LOBBY]: [1, 1] } },
      });
      let welcomed = false;
      socket.once('welcome', () => {
        welcomed = true;
      });
      const reason = new Promise((resolve) => socket.once('disconnect', resolve));
      const first = await Promise.race([reason, waitFor('welcome', () => welcomed).catch(() => 'neither')]);
      socket.close();
      // If everything needed is in memory, there is a welcome. Otherwise the transport is closed, not the socket.
      expect(['transport close', true]).toContain(first);
      faults.clear();
      using ada = await connectClient(url, session);
      expect(ada.welcome.rooms.map(({ id }) => id)).toEqual([LOBBY]);
    },
  );

  test('at append, range, list, create, join, leave, read: unavailable with retryAfter, then success', async () => {
    const { faults, url, session } = await start();
    using ada = await connectClient(url, session);
    using bo = await connectClient(url, await signUp(url, 'Bo'));
    const room = newId();
    await bo.makeRoom({ id: room, kind: 'public', name: 'Room' });
    const item = text('hello');
    const asked = [
      ['log.range', 'range', { room: LOBBY, from: 1, to: 5 }],
      ['rooms.listPublic', 'room:list', {}],
      ['rooms.byId', 'room:get', { room: LOBBY }],
      ['log.append', 'room:join', { room, clientOffset: newId() }],
      ['log.append', 'room:leave', { room, clientOffset: newId() }],
      ['rooms.byId', 'read', { room: LOBBY, upTo: 99 }],
    ] as const;
    for (const [method, event, payload] of asked) {
      faults.set(method, away);
      const refused = await ada.request(event, payload as never);
      expect([event, method, refused]).toEqual([event, method, { ok: false, error: unavailable }]);
      faults.clear();
      expect(await ada.request(event, payload as never)).toMatchObject({ ok: true });
    }
    faults.set('log.append', away);
    expect(await ada.append(item)).toMatchObject({ ok: true, results: [], stopped: unavailable });
    faults.set('rooms.countCreated', away);
    const made = creation({ id: newId(), kind: 'public', name: 'Mine' });
    expect(await ada.append(made)).toMatchObject({ ok: true, results: [], stopped: unavailable });
    const byHttp = await post(
      url,
      '/api/append',
      { as: session.user.id, items: [item] },
      { authorization: `Bearer ${session.token}` },
    );
    expect(await byHttp.json()).toMatchObject({ ok: true, results: [], stopped: unavailable });
    faults.clear();
    expect(await ada.append(item)).toMatchObject({ results: [{ serverOffset: expect.any(Number) }] });
  });

  test('L3 L4 that fails after its write: nothing is acknowledged, and the repeat is the same entry', async () => {
    const { faults, url, session } = await start();
    using ada = await connectClient(url, session);
    const item = text('written, not answered');
    faults.set('log.append', async (real) => {
      await real();
      throw new Unavailable('died before it answered');
    });
    expect(await ada.append(item)).toMatchObject({ results: [], stopped: { code: 'unavailable' } });
    faults.clear();
    expect(await ada.append(item)).toMatchObject({ ok: true, results: [{ serverOffset: 2 }] });
    const log = await wholeLog(url, session);
    expect(log.filter(({ clientOffset }) => clientOffset === item.clientOffset)).toHaveLength(1);
  });

  test('L4 nothing is acknowledged before the store has answered', async () => {
    const { faults, url, session } = await start();
    using ada = await connectClient(url, session);
    let write = () => {};
    const asked = new Promise<void>((resolve) => {
      faults.set('log.append', async (real) => {
        resolve();
        await new Promise<void>((go) => {
          write = go;
        });
        return real();
      });
    });
    let answered = false;
    const answer = ada.append(text('slowly')).finally(() => {
      answered = true;
    });
    await asked;
    await ada.request('beat'); // frames that were sent earlier have arrived by now
    expect(answered).toBe(false);
    write();
    expect(await answer).toMatchObject({ results: [{ serverOffset: 2 }] });
  });

  test('at a sign-up, after the user was created: 503, and a repeat with the claim gives the user and the lobby', async () => {
    const { faults, url } = await start();
    const body = { name: 'Cy', claim: newId(), credential: 'token' };
    faults.set('log.append', away);
    const refused = await post(url, '/api/session', body);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '2']);
    expect(refused.headers.get('cache-control')).toBe('no-store');
    expect(refused.headers.get('vary')).toMatch(/Cookie.*Authorization/);
    faults.clear();
    const answer = await post(url, '/api/session', body);
    using cy = await connectClient(url, await answer.json());
    expect(cy.welcome.rooms.map(({ id }) => id)).toEqual([LOBBY]);
  });
});

test('an unexpected error is `internal` for its item alone, and the other items are written', async () => {
  const { faults, url, session } = await start();
  using ada = await connectClient(url, session);
  let calls = 0;
  faults.set('log.append', (real) => (++calls === 1 ? Promise.reject(new Error('odd')) : real()));
  const answer = await ada.append(text('one'), text('two'));
  expect(answer).toMatchObject({ results: [{ serverOffset: 2 }, { serverOffset: 3 }] });
});

test('a device that is signed out during its handshake is disconnected', async () => {
  const { faults, url, session } = await start();
  faults.set('users.byToken', async (real) => {
    const found = await real();
    faults.clear();
    await fetch(`${url}/api/session`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${session.token}` },
    });
    return found;
  });
  const { io } = await import('socket.io-client');
  const socket = io(url, {
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    auth: { protocol: 1, features: ['entries2'], token: session.token },
  });
  const heard: string[] = [];
  socket.onAny((event: string) => heard.push(event));
  const reason = await new Promise((resolve) => socket.once('disconnect', resolve));
  socket.close();
  expect([reason, heard]).toEqual(['io server disconnect', []]);
});

test('L4 at a shutdown, an append whose checks are in flight is finished and answered, and clients may reconnect', async () => {
  const { faults, url, session } = await start();
  using ada = await connectClient(url, session);
  using bo = await connectClient(url, await signUp(url, 'Bo'));
  const room = newId();
  await bo.makeRoom({ id: room, kind: 'public', name: 'Room' });
  let look = () => {};
  const looking = new Promise<void>((resolve) => {
    faults.set('rooms.isMember', async (real) => {
      resolve();
      await new Promise<void>((go) => {
        look = go;
      });
      return real();
    });
  });
  const reason = new Promise((resolve) => ada.socket.once('disconnect', resolve));
  const answer = ada.append(text('not mine', room), text('last words'));
  await looking;
  const stopped = server!.stop();
  server = undefined;
  look();
  expect(await answer).toMatchObject({
    results: [{ error: { code: 'forbidden' } }, { serverOffset: expect.any(Number) }],
  });
  await stopped;
  expect(await reason).toBe('transport close');
  expect(ada.frames.map(({ event }) => event)).toContain('bye');
});

test('S2 entries that are committed while the catch-up is read come with it', async () => {
  const { faults, url, session } = await start();
  using bo = await connectClient(url, await signUp(url, 'Bo'));
  faults.set('rooms.exits', async (real) => {
    faults.clear();
    const read = await real();
    await bo.append(text('meanwhile'));
    await bo.hears('meanwhile');
    return read;
  });
  const left = newId(); // asked for when the entries were read
  using ada = await connectClient(url, session, { cursors: { [left]: [1, 1] } });
  await ada.hears('meanwhile');
  expect(ada.heard(LOBBY).map(({ serverOffset }) => serverOffset)).toEqual([1, 2, 3]);
});
