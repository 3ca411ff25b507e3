/** What waits on a socket when its user is suspended, or its device signed out: it is not begun any more. */
import { expect, test } from 'vitest';
import type { Store } from '../../../server/store/port.ts';
import { connectClient, newId, signUp, text, wholeLog } from '../../support/api.ts';
import { startApp } from '../../support/app.ts';
import { waitFor } from '../../support/waitFor.ts';

/** A server whose store holds the append of `room` back until `release`. */
async function start(room: string) {
  let release = () => {};
  let isHeld = false;
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const wrap = (store: Store): Store => ({
    ...store,
    epoch: store.epoch,
    log: {
      ...store.log,
      async append(entries, at) {
        if (entries.some((entry) => entry.room === room && entry.kind === 'text')) {
          isHeld = true;
          await gate;
        }
        return store.log.append(entries, at);
      },
    },
  });
  const server = await startApp({ wrap });
  return { server, release, holds: () => waitFor('the store holds it', () => isHeld) };
}

type Way = 'suspended' | 'signed out' | 'neither';

test.each<[way: Way, isDropped: boolean, written: number]>([
  ['suspended', false, 1],
  ['signed out', false, 1],
  ['suspended', true, 1],
  ['signed out', true, 1],
  ['neither', true, 5],
])(
  'queued appends of somebody who is %s, whose connection dropped before: %s, are written: %d',
  async (way, isDropped, written) => {
    const room = newId();
    const { server, release, holds } = await start(room);
    await using _ = server;
    const kim = await signUp(server.url, 'Kim');
    await server.store.keepers.add(kim.user.id, 1);
    const call = (path: string, method: string, token: string, body?: object) =>
      fetch(server.url + path, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(body && { body: JSON.stringify(body) }),
      });
    // a process notices after KEEPERS_CACHED_MS
    await waitFor(
      'the role',
      async () => (await call('/api/people?name=x', 'GET', kim.token)).status === 200,
    );
    const session = await signUp(server.url, 'Mallory');
    using mallory = await connectClient(server.url, session);
    using ada = await connectClient(server.url, await signUp(server.url, 'Ada'));
    await mallory.makeRoom({ id: room, kind: 'public', name: 'a room' });
    await ada.request('room:join', { room, clientOffset: newId() });
    for (let n = 0; n < 5; n++) void mallory.append(text(`text ${n}`, room)).catch(() => {});
    await holds(); // the first one is begun, and four wait
    if (isDropped) mallory.close();
    const done =
      way === 'suspended'
        ? call(`/api/people/${session.user.id}`, 'PUT', kim.token, { suspend: true })
        : way === 'signed out'
          ? call('/api/session', 'DELETE', session.token)
          : undefined;
    const status = (await done)?.status;
    release();
    expect(status).toBe(done && 200);
    const texts = async () =>
      (await wholeLog(server.url, ada.session, room)).filter(({ author }) => author === session.user.id)
        .length - MAKING;
    await waitFor('what is written', async () => (await texts()) >= written);
    for (let n = 0; n < 6; n++) await ada.append(text('others go on', room)); // each is behind one that was queued
    expect(await texts()).toBe(written);
  },
);

/** The entries by which the room is made. */
const MAKING = 1;
