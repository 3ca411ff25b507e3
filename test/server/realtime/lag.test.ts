/** Sockets while members' rows lag behind the log, or while the tail misses commits. */
import { expect, onTestFinished, test } from 'vitest';
import type { Store, TailListener } from '../../../server/store/port.ts';
import type { Room } from '../../../shared/protocol/index.ts';
import { append, join, newRoom } from '../../contract/support.ts';
import { type ApiClient, connectClient, newId, post, signUp, text } from '../../support/api.ts';
import { startApp } from '../../support/app.ts';
import { waitFor } from '../../support/waitFor.ts';

const roomFrames = ({ frames }: ApiClient) =>
  frames.flatMap(({ event, payload }) =>
    event === 'room' ? [payload as { room?: Room; removed?: string }] : [],
  );

/** A server whose tail delivers nothing while `deaf`; `gap` ends that as a lost stream does. */
async function deafServer(rows: Partial<Store['rooms']> = {}) {
  const listeners: TailListener[] = [];
  let looks = 0;
  const state = { deaf: false };
  const deafen = (listener: TailListener): TailListener => {
    listeners.push(listener);
    return { ...listener, onBatch: (...heard) => state.deaf || listener.onBatch(...heard) };
  };
  const server = await startApp({
    wrap: (store) => ({
      ...store,
      epoch: store.epoch,
      log: { ...store.log, tail: (from, listener) => store.log.tail(from, deafen(listener)) },
      rooms: {
        ...store.rooms,
        async ofUsers(users) {
          looks++;
          return (rows.ofUsers ?? store.rooms.ofUsers)(users);
        },
      },
    }),
  });
  onTestFinished(() => server.stop());
  const gap = () => {
    state.deaf = false;
    for (const { onGap } of listeners) onGap();
  };
  return { server, state, gap, looked: () => looks };
}

test('a join that is delivered before its row is written adds the room to the socket', async () => {
  let isLagging = false;
  const lagging = (store: Store): Store['rooms'] => ({
    ...store.rooms,
    ofUser: async (user) => (isLagging ? [] : store.rooms.ofUser(user)),
  });
  const server = await startApp({
    wrap: (store) => ({ ...store, epoch: store.epoch, rooms: lagging(store) }),
  });
  onTestFinished(() => server.stop());
  using ada = await connectClient(server.url, await signUp(server.url, 'Ada'));
  isLagging = true;
  const room = newId();
  await ada.makeRoom({ id: room, kind: 'private', name: 'a room' });
  await waitFor('Ada is told of the room', () => roomFrames(ada).some((frame) => frame.room?.id === room));
  await ada.append(text('here', room));
  await ada.hears('here', room);
});

test('a row that is stale after a recent join does not remove the room from the socket', async () => {
  const { server, gap, looked } = await deafServer({ ofUsers: async () => new Map() });
  using ada = await connectClient(server.url, await signUp(server.url, 'Ada'));
  const room = newId();
  await ada.makeRoom({ id: room, kind: 'private', name: 'a room' });
  await waitFor('Ada is told of the room', () => roomFrames(ada).some((frame) => frame.room?.id === room));
  gap();
  await waitFor('memberships were looked at', () => looked() > 0);
  await ada.append(text('still here', room));
  await ada.hears('still here', room);
  expect(roomFrames(ada).filter(({ removed }) => removed === room)).toEqual([]);
});

test('S2 after a gap all missed entries arrive, and missed joins and leaves are applied', async () => {
  const { server, state, gap } = await deafServer();
  using ada = await connectClient(server.url, await signUp(server.url, 'Ada'));
  const session = await signUp(server.url, 'Bo');
  const [came, left] = [newId(), await newRoom(server.store)];
  await append(server.store, [join(left, session.user.id)]);
  using bo = await connectClient(server.url, session);

  state.deaf = true;
  await bo.append(text('unheard'));
  await bo.request('room:leave', { room: left, clientOffset: newId() });
  await bo.makeRoom({ id: came, kind: 'public', name: 'to come into' });
  gap();
  await ada.hears('unheard');
  await waitFor('Bo is told what he came into', () =>
    roomFrames(bo).some((frame) => frame.room?.id === came),
  );
  await waitFor('Bo is told what he left', () => roomFrames(bo).some((frame) => frame.removed === left));
  const refused = await bo.append(text('too late', left));
  expect(refused.ok && refused.results[0]).toMatchObject({ error: { code: 'forbidden' } });
});

test('a device whose sign-out was missed loses its sockets after a gap', async () => {
  const { server, gap } = await deafServer();
  const session = await signUp(server.url, 'Ada');
  using ada = await connectClient(server.url, session);
  await server.store.users.removeDevice(session.user.id, session.device.id, Date.now());
  gap();
  await waitFor('the socket is closed', () => !ada.socket.connected);
  const answer = await post(server.url, '/api/append', { as: session.user.id, items: [text('x')] });
  expect(answer.status).toBe(401);
});
