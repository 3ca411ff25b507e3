/** What one person may do with rooms, on the whole server: creations, joins and leaves, one after the other and all at once. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { Unavailable } from '../../../server/store/port.ts';
import {
  MEMBERSHIPS_MAX,
  REJOINS_PER_DAY,
  ROOMS_BURST_OF_ADDRESS,
  ROOMS_CREATED_PER_DAY,
} from '../../../shared/limits.ts';
import { LOBBY } from '../../../shared/mint.ts';
import { appendNew, join, newRoom } from '../../contract/support.ts';
import {
  type ApiClient,
  connectClient,
  newId,
  creation as roomItem,
  signUp,
  text,
} from '../../support/api.ts';
import { type RunningApp, startApp } from '../../support/app.ts';

let server: RunningApp;
beforeAll(async () => {
  server = await startApp();
});
afterAll(() => server.stop());

let names = 0;
const person = async () => connectClient(server.url, await signUp(server.url, `person ${names++}`));

const creation = (id = newId()) => ({ id, kind: 'public' as const, name: 'a room' });

async function publicRoom(owner: ApiClient): Promise<string> {
  const { id } = creation();
  expect(await owner.makeRoom(creation(id))).toMatchObject({ ok: true });
  return id;
}

async function headOf(client: ApiClient, room: string): Promise<number> {
  const answer = await client.request('range', { room, from: 1, to: 1 });
  if (!answer.ok) throw new Error(answer.error.message);
  return answer.head;
}

const forbidden = { ok: false, error: { code: 'forbidden', message: expect.stringContaining('limit') } };

test('a name that turns what is beside it is not given to a room', async () => {
  using ada = await person();
  const answer = await ada.makeRoom({ ...creation(), name: 'harbour \u202egnp' });
  expect(answer).toMatchObject({ ok: false, error: { code: 'invalid' } });
});

test('one user creates no more rooms than the limit of a day; a repeat is answered all the same', {
  timeout: 120_000,
}, async () => {
  using ada = await person();
  const asked = Array.from({ length: ROOMS_CREATED_PER_DAY + 10 }, () => creation());
  const answers: Awaited<ReturnType<typeof ada.makeRoom>>[] = [];
  for (let n = 0; n < asked.length; n += 10) {
    const some = asked.slice(n, n + 10).map((request) => ada.makeRoom(request));
    answers.push(...(await Promise.all(some)));
  }
  expect(answers.map(({ ok }) => ok)).toEqual(asked.map((_, n) => n < ROOMS_CREATED_PER_DAY));
  expect(answers.at(-1)).toMatchObject(forbidden);
  expect(await ada.makeRoom(asked[0]!)).toEqual(answers[0]);
  expect(await server.store.rooms.byId(asked.at(-1)!.id)).toBeUndefined();
  using bo = await person();
  await publicRoom(bo);
});

test('one user is in no more rooms than a handshake can name', async () => {
  using ada = await person();
  const me = ada.session.user.id;
  const rooms = await Promise.all(
    Array.from({ length: MEMBERSHIPS_MAX - 2 }, () => newRoom(server.store, 'private')),
  );
  await appendNew(
    server.store,
    rooms.map((room) => join(room, me)),
    Date.now(),
  );
  using bo = await person();
  const [last, beyond] = [await publicRoom(bo), await publicRoom(bo)];
  const clientOffset = newId();
  expect(await ada.request('room:join', { room: last, clientOffset })).toMatchObject({ ok: true });
  expect(await ada.request('room:join', { room: beyond, clientOffset: newId() })).toMatchObject(forbidden);
  expect(await ada.makeRoom(creation())).toMatchObject(forbidden);
  expect(await ada.request('room:join', { room: last, clientOffset })).toMatchObject({ ok: true });
  expect(await ada.request('room:leave', { room: LOBBY, clientOffset: newId() })).toMatchObject({ ok: true });
  expect(await ada.request('room:join', { room: beyond, clientOffset: newId() })).toMatchObject({ ok: true });
});

test('one who leaves and joins again and again does not fill the log of a room', async () => {
  using owner = await person();
  using ada = await person();
  const room = await publicRoom(owner);
  const codes: string[] = [];
  for (let n = 0; n < REJOINS_PER_DAY + 3; n++) {
    const joined = await ada.request('room:join', { room, clientOffset: newId() });
    codes.push(joined.ok ? 'ok' : joined.error.code);
    await ada.request('room:leave', { room, clientOffset: newId() });
  }
  expect(codes).toEqual(codes.map((_, n) => (n <= REJOINS_PER_DAY ? 'ok' : 'forbidden')));
  expect(await headOf(owner, room)).toBe(1 + 2 * (REJOINS_PER_DAY + 1));
});

test('many joins at once are one entry, and so are many leaves', async () => {
  using owner = await person();
  using ada = await person();
  using phone = await connectClient(server.url, ada.session);
  const room = await publicRoom(owner);
  const both = [ada, phone];
  const atOnce = (name: 'room:join' | 'room:leave') =>
    Promise.all(
      Array.from({ length: 40 }, (_, n) => both[n % 2]!.request(name, { room, clientOffset: newId() })),
    );
  expect((await atOnce('room:join')).every(({ ok }) => ok)).toBe(true);
  expect(await headOf(owner, room)).toBe(2);
  const left = await atOnce('room:leave');
  expect(left.filter(({ ok }) => ok)).toHaveLength(1);
  expect(await headOf(owner, room)).toBe(3);
});

test('the users behind one address share a rate of new rooms, beyond the first room of each; their messages are not held up', async () => {
  const created = new Map<string, number>();
  await using another = await startApp({
    // A store that takes no rooms, so that the test writes none: who gets as far as that is not refused by a limit.
    wrap: (store) => ({
      ...store,
      rooms: { ...store.rooms, countCreated: async (user) => created.get(user) ?? 0 },
      log: {
        ...store.log,
        append: async (items, at) =>
          items.some(({ kind }) => kind === 'create')
            ? Promise.reject(new Unavailable('full'))
            : store.log.append(items, at),
      },
    }),
  });
  const join = async (name: string) => connectClient(another.url, await signUp(another.url, name));
  const people = await Promise.all(['ada', 'bo', 'cyd', 'dan'].map(join));
  for (const { session } of people) created.set(session.user.id, 1);
  const messages: string[] = [];
  for (let n = 0; n < 60; n++) {
    const answers = await Promise.all(people.map((one) => one.makeRoom(creation())));
    messages.push(...answers.map((answer) => (answer.ok ? 'ok' : answer.error.message)));
  }
  expect(new Set(messages.slice(0, ROOMS_BURST_OF_ADDRESS))).toEqual(new Set(['full']));
  const [ada] = people;
  const limited = await ada!.append(roomItem(creation()), text('not held up'));
  expect(limited).toMatchObject({
    results: [
      {
        error: {
          code: 'unavailable',
          message: expect.stringContaining('new rooms'),
          retryAfter: expect.any(Number),
        },
      },
      { serverOffset: expect.any(Number) },
    ],
  });
  using newcomer = await join('newcomer');
  expect(await newcomer.makeRoom(creation())).toMatchObject({ error: { message: 'full' } });
  for (const one of people) one.close();
});
