/** Changes of rooms on the whole server: who may make them, what is refused, and who is told. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { directRoomOf } from '../../../shared/directPair.ts';
import { DESCRIPTION_MAX_CODE_POINTS, ROOM_CHANGES_PER_HOUR } from '../../../shared/limits.ts';
import { LOBBY } from '../../../shared/mint.ts';
import { type ApiClient, connectClient, newId, signUp } from '../../support/api.ts';
import { type RunningApp, startApp } from '../../support/app.ts';
import { waitFor } from '../../support/waitFor.ts';

let server: RunningApp;
beforeAll(async () => {
  server = await startApp();
});
afterAll(() => server.stop());

let names = 0;
const person = async () => connectClient(server.url, await signUp(server.url, `person ${names++}`));

async function roomOf(creator: ApiClient, ...others: ApiClient[]): Promise<string> {
  const room = newId();
  await creator.makeRoom({ id: room, kind: 'public', name: 'Ward 5' });
  for (const other of others) await other.request('room:join', { room, clientOffset: newId() });
  return room;
}

const change = (
  by: ApiClient,
  room: string,
  fields: { name?: string; description?: string; announcements?: boolean },
) => by.request('room:about', { room, clientOffset: newId(), ...fields });

async function seenBy(client: ApiClient, room: string) {
  const answer = await client.request('room:get', { room });
  if (!answer.ok) throw new Error(answer.error.message);
  return answer.room;
}

async function logOf(client: ApiClient, room: string) {
  const answer = await client.request('range', { room, from: 1, to: 100 });
  return answer.ok ? answer.entries : [];
}

const refused = (code: string, reason?: string) => ({
  ok: false,
  error: { code, message: expect.any(String), ...(reason && { reason }) },
});

test('owners and moderators change the name and the description; each change is an entry that members get live', async () => {
  using mika = await person();
  using lin = await person();
  using osei = await person();
  const room = await roomOf(mika, lin, osei);
  await mika.request('room:role', {
    room,
    clientOffset: newId(),
    user: lin.session.user.id,
    role: 'moderator',
  });
  const request = { room, clientOffset: newId(), name: '  Ward 6 ' };
  expect(await mika.request('room:about', request)).toMatchObject({ ok: true });
  expect(await mika.request('room:about', request)).toMatchObject({ ok: true });
  expect(await change(lin, room, { description: 'Where we hand over\r\nat eight' })).toMatchObject({
    ok: true,
  });
  expect(await seenBy(osei, room)).toMatchObject({
    name: 'Ward 6',
    about: { upTo: 6, description: 'Where we hand over\nat eight' },
  });
  await waitFor('both entries', () => osei.heard(room).filter(({ kind }) => kind === 'about').length === 2);
  expect((await logOf(osei, room)).slice(4)).toMatchObject([
    { kind: 'about', author: mika.session.user.id, name: 'Ward 6' },
    { kind: 'about', author: lin.session.user.id, description: 'Where we hand over\nat eight' },
  ]);
});

test('what changes nothing writes no entry; the description can be removed again', async () => {
  using mika = await person();
  const room = await roomOf(mika);
  for (const fields of [{ name: 'Ward 5' }, { description: '' }, { description: ' \u200b ' }])
    expect(await change(mika, room, fields)).toMatchObject({ ok: true });
  expect(await logOf(mika, room)).toHaveLength(1);
  await change(mika, room, { description: 'x' });
  await change(mika, room, { description: '' });
  expect(await logOf(mika, room)).toHaveLength(3);
  expect((await seenBy(mika, room)).about).toEqual({ upTo: 3, description: '' });
});

test('members, strangers and people of a direct conversation change nothing', async () => {
  using mika = await person();
  using lin = await person();
  using stranger = await person();
  const room = await roomOf(mika, lin);
  expect(await change(lin, room, { name: 'Mine' })).toMatchObject(refused('forbidden', 'role-needed'));
  expect(await change(stranger, room, { name: 'Mine' })).toMatchObject(refused('forbidden'));
  expect(await change(mika, newId(), { name: 'Mine' })).toMatchObject(refused('not-found'));
  const direct = directRoomOf(mika.session.user.id, lin.session.user.id);
  const text = { room: direct, clientOffset: newId(), kind: 'text', body: 'hello' };
  await mika.request('append', { as: mika.session.user.id, items: [text] });
  expect(await change(mika, direct, { name: 'Us' })).toMatchObject(refused('forbidden', 'role-needed'));
});

test('keepers change the lobby, and nobody else who has no role in it', async () => {
  await using fresh = await startApp();
  using keeper = await connectClient(fresh.url, await signUp(fresh.url, 'Kim'));
  using lin = await connectClient(fresh.url, await signUp(fresh.url, 'Lin'));
  const headers = { authorization: `Bearer ${keeper.session.token}`, 'content-type': 'application/json' };
  await fetch(`${fresh.url}/api/keeper`, { method: 'POST', headers });
  expect(await change(lin, LOBBY, { name: 'Hall' })).toMatchObject(refused('forbidden', 'role-needed'));
  expect(await change(keeper, LOBBY, { name: 'Hall' })).toMatchObject({ ok: true });
  expect(await seenBy(lin, LOBBY)).toMatchObject({ name: 'Hall' });
});

test('a name or a description that cannot be is refused with its reason; so is none or both', async () => {
  using mika = await person();
  const room = await roomOf(mika);
  expect(await change(mika, room, { name: ' ' })).toMatchObject(refused('invalid'));
  expect(await change(mika, room, { name: 'harbour \u202egnp' })).toMatchObject(refused('invalid'));
  expect(await change(mika, room, { name: 'x'.repeat(41) })).toMatchObject(refused('too-large'));
  const long = '文'.repeat(DESCRIPTION_MAX_CODE_POINTS);
  expect(await change(mika, room, { description: `${long}字` })).toMatchObject(refused('too-large'));
  expect(await change(mika, room, { description: 'a\u0007' })).toMatchObject(refused('invalid'));
  expect(await change(mika, room, { description: `a${'\u0344'.repeat(299)}` })).toMatchObject(
    refused('invalid'),
  );
  expect(await change(mika, room, {})).toMatchObject(refused('invalid'));
  expect(await change(mika, room, { name: 'a', description: 'b' })).toMatchObject(refused('invalid'));
  expect(await logOf(mika, room)).toHaveLength(1);
  expect(await change(mika, room, { description: long })).toMatchObject({ ok: true });
});

test('a key that another change has is a conflict; a repeated creation finds the room that was renamed', async () => {
  using mika = await person();
  const id = newId();
  const creation = { id, kind: 'public' as const, name: 'Ward 5' };
  await mika.makeRoom(creation);
  const clientOffset = newId();
  expect(await mika.request('room:about', { room: id, clientOffset, name: 'Ward 6' })).toMatchObject({
    ok: true,
  });
  expect(await mika.request('room:about', { room: id, clientOffset, name: 'Ward 7' })).toMatchObject(
    refused('conflict'),
  );
  expect(await mika.makeRoom(creation)).toEqual({ ok: true, serverOffset: 1 });
  expect(await mika.request('room:get', { room: id })).toMatchObject({ room: { name: 'Ward 6' } });
});

test('one user changes one room so many times an hour; other rooms are not affected', {
  timeout: 60_000,
}, async () => {
  using mika = await person();
  const [room, other] = [await roomOf(mika), await roomOf(mika)];
  for (let n = 0; n < ROOM_CHANGES_PER_HOUR; n++)
    expect(await change(mika, room, { name: `Ward ${n + 10}` })).toMatchObject({ ok: true });
  expect(await change(mika, room, { name: 'once more' })).toMatchObject({
    ok: false,
    error: { code: 'rate-limited', retryAfter: expect.any(Number) },
  });
  expect(await change(mika, other, { name: 'Ward 6' })).toMatchObject({ ok: true });
});

test('in a room for announcements only owners and moderators write; members react, and delete what they have written', async () => {
  using mika = await person();
  using lin = await person();
  using osei = await person();
  const room = await roomOf(mika, lin, osei);
  const said = (body: string) => ({ room, clientOffset: newId(), kind: 'text', body });
  const before = said('before');
  const codesOf = (answer: Awaited<ReturnType<ApiClient['append']>>) =>
    answer.ok
      ? answer.results.map((one) => ('error' in one ? `${one.error.code} ${one.error.reason}` : 'done'))
      : [];
  expect(codesOf(await lin.append(before))).toEqual(['done']);
  expect(await change(lin, room, { announcements: true })).toMatchObject(refused('forbidden', 'role-needed'));
  expect(await change(mika, room, { announcements: true })).toMatchObject({ ok: true });
  expect(await change(mika, room, { announcements: true })).toMatchObject({ ok: true });
  await lin.hears('before', room);
  await waitFor('the change', () => lin.heard(room).some(({ kind }) => kind === 'about'));
  const news = said('Read this');
  expect(codesOf(await mika.append(news))).toEqual(['done']);
  const target = { author: mika.session.user.id, clientOffset: news.clientOffset };
  const only = 'forbidden announcements-only';
  expect(
    codesOf(
      await lin.append(
        said('but'),
        before, // a repeat
        { room, clientOffset: newId(), kind: 'edit', target: before.clientOffset, body: 'after' },
        { room, clientOffset: newId(), kind: 'reaction', target, emoji: '👍', on: true },
        { room, clientOffset: newId(), kind: 'delete', target: before.clientOffset },
      ),
    ),
  ).toEqual([only, 'done', only, 'done', 'done']);
  await mika.request('room:role', {
    room,
    clientOffset: newId(),
    user: osei.session.user.id,
    role: 'moderator',
  });
  expect(codesOf(await osei.append(said('I may')))).toEqual(['done']);
  expect(await change(osei, room, { announcements: false })).toMatchObject({ ok: true });
  await waitFor(
    'the other change',
    () => lin.heard(room).filter(({ kind }) => kind === 'about').length === 2,
  );
  expect(codesOf(await lin.append(said('thanks')))).toEqual(['done']);
});

test('a room can be made for announcements at once, by one entry, also when its creation is repeated', async () => {
  using mika = await person();
  using lin = await person();
  const id = newId();
  const creation = { id, kind: 'public' as const, name: 'News', announcements: true };
  for (let n = 0; n < 2; n++) expect(await mika.makeRoom(creation)).toEqual({ ok: true, serverOffset: 1 });
  expect(await mika.request('room:get', { room: id })).toMatchObject({
    room: { about: { upTo: 1, announcements: true } },
  });
  expect((await logOf(mika, id)).map(({ kind }) => kind)).toEqual(['create']);
  const news = { room: id, clientOffset: newId(), kind: 'text', body: 'news' };
  expect(await mika.append(news)).toMatchObject({ results: [{ serverOffset: 2 }] });
  await lin.request('room:join', { room: id, clientOffset: newId() });
  const text = { room: id, clientOffset: newId(), kind: 'text', body: 'but' };
  expect(await lin.append(text)).toMatchObject({
    results: [{ error: { code: 'forbidden', reason: 'announcements-only' } }],
  });
});

test('a moderator pins one message and unpins it; a deleted one is pinned no more, and cannot be pinned again', async () => {
  using mika = await person();
  using lin = await person();
  const room = await roomOf(mika, lin);
  const [first, second] = ['first', 'second'].map((body) => ({
    room,
    clientOffset: newId(),
    kind: 'text',
    body,
  }));
  await lin.append(first!, second!);
  const pin = (by: ApiClient, { clientOffset }: { clientOffset: string }, on = true) =>
    by.request('room:pin', {
      room,
      clientOffset: newId(),
      target: { author: lin.session.user.id, clientOffset },
      on,
    });
  const pinned = async () => (await seenBy(lin, room)).about?.pinned;
  expect(await pin(lin, first!)).toMatchObject(refused('forbidden', 'role-needed'));
  expect(await pin(mika, { clientOffset: newId() })).toMatchObject(refused('not-found'));
  expect(await pin(mika, first!, false)).toMatchObject({ ok: true }); // is not pinned
  for (let n = 0; n < 2; n++) expect(await pin(mika, first!)).toMatchObject({ ok: true });
  expect(await pinned()).toBe(3);
  expect((await logOf(lin, room)).map(({ kind }) => kind)).toEqual(['create', 'join', 'text', 'text', 'pin']);
  expect(await pin(mika, second!)).toMatchObject({ ok: true });
  expect(await pin(mika, first!, false)).toMatchObject({ ok: true });
  expect(await pinned()).toBe(4);
  await lin.append({ room, clientOffset: newId(), kind: 'delete', target: second!.clientOffset });
  expect(await pinned()).toBe(0);
  expect(await pin(mika, second!)).toMatchObject(refused('not-found'));
  expect(await pin(mika, first!)).toMatchObject({ ok: true });
  expect(await pin(mika, first!, false)).toMatchObject({ ok: true });
  expect(await pinned()).toBe(0);
});
