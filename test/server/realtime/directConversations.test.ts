/** Direct conversations between real sockets and a real server. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { directRoomOf } from '../../../shared/directPair.ts';
import { DIRECT_BEGUN_PER_DAY, STRANGER_MESSAGES_MAX } from '../../../shared/limits.ts';
import { LOBBY } from '../../../shared/mint.ts';
import type { Room } from '../../../shared/protocol/index.ts';
import { type ApiClient, bodyOf, connectClient, newId, signUp, text } from '../../support/api.ts';
import { type RunningApp, startApp } from '../../support/app.ts';
import { waitFor } from '../../support/waitFor.ts';

let server: RunningApp;
beforeAll(async () => {
  server = await startApp();
});
afterAll(() => server.stop());

let names = 0;
const person = () => signUp(server.url, `person ${names++}`);
const join = async () => connectClient(server.url, await person());
const between = (one: ApiClient, other: ApiClient) =>
  directRoomOf(one.session.user.id, other.session.user.id);
const roomsOf = ({ frames }: ApiClient) =>
  frames.flatMap(({ event, payload }) => (event === 'room' ? [(payload as { room?: Room }).room] : []));
const bodies = (client: ApiClient, room: string) =>
  client.heard(room).map((entry) => [entry.serverOffset, bodyOf(entry)]);

test('the first message begins it: the other one, who never heard of the room, gets it live and after an absence', async () => {
  using ada = await join();
  using bo = await join();
  const room = between(ada, bo);
  expect(await ada.append(text('hello', room), text('there', room))).toMatchObject({
    ok: true,
    results: [{ serverOffset: 1 }, { serverOffset: 2 }],
  });
  await bo.hears('there', room);
  const { id, name } = ada.session.user;
  const described = { id: room, kind: 'direct', name, with: { id, name, rev: 0 }, members: 2, readUpTo: 0 };
  await waitFor('the room', () => roomsOf(bo).some((one) => one?.id === room));
  expect(roomsOf(bo).find((one) => one?.id === room)).toMatchObject(described);
  expect(bodies(bo, room)).toEqual([
    [1, 'hello'],
    [2, 'there'],
  ]);
  using phone = await connectClient(server.url, bo.session);
  expect(phone.welcome.rooms.find((one) => one.id === room)).toMatchObject({ ...described, unread: 2 });
  await bo.append(text('back', room));
  await ada.hears('back', room);
  expect(await ada.request('readers', { room })).toMatchObject({
    readers: { [id]: 0, [bo.session.user.id]: 0 },
  });
});

test('both begin it at the same moment: one conversation, everything once, in the order of each', async () => {
  using ada = await join();
  using bo = await join();
  const room = between(ada, bo);
  const items = [1, 2, 3].map((n) => [text(`ada ${n}`, room), text(`bo ${n}`, room)] as const);
  await Promise.all([ada.append(...items.map(([one]) => one)), bo.append(...items.map(([, one]) => one))]);
  await ada.append(...items.map(([one]) => one)); // its answer was lost
  const log = await ada.request('range', { room, from: 1, to: 20 });
  const written = log.ok ? log.entries.map(bodyOf) : [];
  for (const who of ['ada', 'bo'])
    expect(written.filter((body) => body?.startsWith(who))).toEqual([1, 2, 3].map((n) => `${who} ${n}`));
  expect(written).toHaveLength(6);
});

test('with oneself it is a notebook of one', async () => {
  using ada = await join();
  const room = between(ada, ada);
  await ada.append(text('milk', room));
  using phone = await connectClient(server.url, ada.session);
  expect(phone.welcome.rooms.find(({ id }) => id === room)).toMatchObject({ kind: 'direct', members: 1 });
  await phone.hears('milk', room);
});

test('nobody else can read it, write in it, join it, list it, invite to it or learn whether it is there', async () => {
  using ada = await join();
  using bo = await join();
  using eve = await join();
  const room = between(ada, bo);
  const answers = async () => [
    await eve.request('append', { as: eve.session.user.id, items: [text('me too', room, 'A'.repeat(22))] }),
    await eve.request('range', { room, from: 1, to: 9 }),
    await eve.request('read', { room, upTo: 1 }),
    await eve.request('readers', { room }),
    await eve.request('presence', { room }),
    await eve.request('reactors', { room, target: 1 }),
    await eve.request('room:get', { room }),
    await eve.request('room:join', { room, clientOffset: `${'B'.repeat(21)}A` }),
  ];
  const before = await answers();
  await ada.append(text('secret', room));
  await bo.hears('secret', room);
  expect(await answers()).toEqual(before);
  for (const answer of before)
    expect('results' in answer ? (answer.results as object[])[0] : answer).toMatchObject({
      error: { code: 'not-found' },
    });
  const list = await eve.request('room:list', {});
  expect(JSON.stringify([list, eve.frames])).not.toContain(room);
  const invite = await fetch(`${server.url}/api/invitations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ada.session.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ room, lifetimeMs: 60_000, uses: 1, makesAccounts: false }),
  });
  expect(invite.ok).toBe(false);
});

test('nobody leaves it, and no room that is created has its id', async () => {
  using ada = await join();
  using bo = await join();
  const room = between(ada, bo);
  await ada.append(text('hello', room));
  expect(await ada.request('room:leave', { room, clientOffset: newId() })).toMatchObject({
    error: { code: 'forbidden' },
  });
  const invalid = { error: { code: 'invalid' } };
  expect(await ada.makeRoom({ id: room, kind: 'public', name: 'x' })).toMatchObject(invalid);
  expect(await ada.makeRoom({ id: newId(), kind: 'direct', name: 'x' })).toMatchObject(invalid);
});

test('it begins with a message alone, and only with somebody who exists', async () => {
  using ada = await join();
  using bo = await join();
  const nobody = directRoomOf(ada.session.user.id, newId());
  const room = between(ada, bo);
  const target = newId();
  const answer = await ada.append(
    text('is anybody there', nobody),
    { kind: 'delete', room, clientOffset: newId(), target },
    { kind: 'edit', room, clientOffset: newId(), target, body: 'x' },
  );
  expect(answer.ok && answer.results.map((one) => 'error' in one && one.error.code)).toEqual([
    'not-found',
    'not-found',
    'not-found',
  ]);
  using phone = await connectClient(server.url, ada.session);
  expect(phone.welcome.rooms.map(({ id }) => id)).toEqual([LOBBY]);
});

test('a user begins so many conversations a day, also within one request; those that exist go on', async () => {
  using ada = await join();
  const others: string[] = [];
  for (let n = 0; n <= DIRECT_BEGUN_PER_DAY; n++) others.push((await person()).user.id);
  const rooms = others.map((other) => directRoomOf(ada.session.user.id, other));
  const codes = (answer: Awaited<ReturnType<typeof ada.append>>) =>
    answer.ok && answer.results.map((one) => ('error' in one ? one.error.code : 'done'));
  const first = await ada.append(...rooms.map((room) => text('hello', room)));
  expect(codes(first)).toEqual([...Array(DIRECT_BEGUN_PER_DAY).fill('done'), 'forbidden']);
  expect(codes(await ada.append(text('and', rooms[0]), text('again', rooms.at(-1))))).toEqual([
    'done',
    'forbidden',
  ]);
});

test('an older client, which cannot read such ids, is spared these rooms', async () => {
  using ada = await join();
  using bo = await connectClient(server.url, await person(), { features: ['entries2'] });
  const room = between(ada, bo);
  await ada.append(text('hello', room), text('in the lobby'));
  await bo.hears('in the lobby');
  using again = await connectClient(server.url, bo.session, { features: ['entries2'] });
  expect(JSON.stringify([bo.frames, again.frames, again.welcome])).not.toContain(room);
});

test('a person is found by their name in any case, and not by a part of it', async () => {
  using ada = await join();
  const { user } = await signUp(server.url, 'Zoë Ω');
  expect(await ada.request('person', { name: ' zoë ω ' })).toMatchObject({ ok: true, user });
  expect(await ada.request('person', { name: 'zoë' })).toMatchObject({ error: { code: 'not-found' } });
});

/** Both are in a room of their own, so they know each other. */
async function acquainted() {
  const [ada, bo] = [await join(), await join()];
  const id = newId();
  await ada.makeRoom({ id, kind: 'public', name: 'Ward' });
  await bo.request('room:join', { room: id, clientOffset: newId() });
  return { ada, bo, room: between(ada, bo) };
}
const codesOf = (answer: Awaited<ReturnType<ApiClient['append']>>) =>
  answer.ok && answer.results.map((one) => ('error' in one ? (one.error.reason ?? one.error.code) : 'done'));
const texts = (count: number, room: string) => Array.from({ length: count }, (_, n) => text(`${n}`, room));

test('a stranger may send ten messages until the other one answers; repeats do not count, amendments are free', async () => {
  using ada = await join();
  using bo = await join();
  const room = between(ada, bo);
  const [first, ...others] = texts(STRANGER_MESSAGES_MAX, room);
  const five = [first!, ...others.slice(0, 4)];
  expect(codesOf(await ada.append(...five))).toEqual(Array(5).fill('done'));
  const more = text('one more', room);
  expect(codesOf(await ada.append(...five, ...others.slice(4), more))).toEqual([
    ...Array(STRANGER_MESSAGES_MAX).fill('done'),
    'not-answered',
  ]);
  expect(codesOf(await ada.append(more, first!))).toEqual(['not-answered', 'done']);
  const edit = { kind: 'edit', room, clientOffset: newId(), target: first!.clientOffset, body: 'x' };
  expect(codesOf(await ada.append(edit))).toEqual(['done']);
  await bo.append(text('yes?', room));
  expect(codesOf(await ada.append(more, ...texts(20, room)))).toEqual(Array(21).fill('done'));
});

test('a stranger sees neither presence nor read marks of the other one; people who share a room do', async () => {
  using ada = await join();
  using bo = await join();
  const room = between(ada, bo);
  await ada.append(text('who are you', room));
  await bo.hears('who are you', room);
  const [me, you] = [ada.session.user.id, bo.session.user.id];
  const seen = async () => {
    const [presence, readers] = [
      await ada.request('presence', { room }),
      await ada.request('readers', { room }),
    ];
    return [
      presence.ok && Object.keys(presence.people).toSorted(),
      readers.ok && Object.keys(readers.readers).toSorted(),
    ];
  };
  expect(await seen()).toEqual([[me], []]);
  await bo.append(text('Bo', room));
  expect(await seen()).toEqual([[me, you].toSorted(), [me, you].toSorted()]);
});

test('whoever is blocked cannot tell: their messages are taken as before; the blocker is on all devices the same', async () => {
  const { ada, bo, room } = await acquainted();
  using phone = await connectClient(server.url, ada.session);
  const chosen = await ada.request('room:choose', { room, blocked: true, ago: 0 });
  expect(chosen).toMatchObject({ ok: true, settings: { blocked: true } });
  await waitFor('the other device', () => roomsOf(phone).some((one) => one?.settings?.blocked));
  // nobody has written yet: the blocked one is not told of a conversation
  using again = await connectClient(server.url, bo.session);
  await again.append(text('marker'));
  await bo.hears('marker');
  expect(JSON.stringify([bo.frames, again.frames])).not.toContain(room);
  expect(codesOf(await bo.append(text('hello', room), text('are you there', room)))).toEqual([
    'done',
    'done',
  ]);
  await bo.hears('are you there', room);
  expect(roomsOf(bo).find((one) => one?.id === room)).not.toHaveProperty('settings');
  const presence = await bo.request('presence', { room });
  expect(presence.ok && Object.keys(presence.people)).toEqual([bo.session.user.id]);
  await ada.request('room:choose', { room, blocked: false, ago: 0 });
  const later = await bo.request('presence', { room });
  expect(later.ok && Object.keys(later.people)).toHaveLength(2);
  for (const client of [ada, bo]) client.close();
});

test('nobody but the other one of a direct conversation can be blocked', async () => {
  using ada = await join();
  expect(await ada.request('room:choose', { room: LOBBY, blocked: true, ago: 0 })).toMatchObject({
    error: { code: 'invalid' },
  });
  const nobody = directRoomOf(ada.session.user.id, newId());
  expect(await ada.request('room:choose', { room: nobody, blocked: true, ago: 0 })).toMatchObject({
    error: { code: 'not-found' },
  });
});
