/** Mentions between clients: who is listed, who is refused, and what a welcome says of missed ones. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Item, Room, Welcome } from '../../../shared/protocol/index.ts';
import { type ApiClient, connectClient, newId, signUp, text } from '../../support/api.ts';
import { type RunningApp, startApp } from '../../support/app.ts';
import { waitFor } from '../../support/waitFor.ts';

let server: RunningApp;
beforeAll(async () => {
  server = await startApp();
});
afterAll(() => server.stop());

let names = 0;
async function person(): Promise<ApiClient> {
  return connectClient(server.url, await signUp(server.url, `mentions ${names++}`));
}

function mentioning(body: string, ...people: ApiClient[]): Item {
  const mentions = people.map(({ session: { user } }) => ({ user: user.id, name: user.name }));
  return { ...text(body), mentions };
}

const lobbyOf = ({ welcome }: ApiClient): Room =>
  (welcome as Welcome).rooms.find(({ id }) => id === 'lobby')!;

test('a mention reaches its room, and those that were missed are listed in the welcome until they are read or deleted', async () => {
  using ada = await person();
  const bo = await person();
  bo.close();
  const hello = mentioning('hello', bo, ada);
  const answer = await ada.append(text('before'), hello, mentioning('again', bo), text('after'));
  const offsets = answer.ok
    ? answer.results.map((one) => ('serverOffset' in one ? one.serverOffset : 0))
    : [];
  await waitFor('the mention', () =>
    ada.heard('lobby').some(({ serverOffset }) => serverOffset === offsets[1]),
  );
  expect(ada.heard('lobby').find(({ serverOffset }) => serverOffset === offsets[1])).toMatchObject({
    mentions: [{ user: bo.session.user.id, name: bo.session.user.name }, {}],
  });
  {
    using back = await connectClient(server.url, bo.session);
    expect(lobbyOf(back)).toMatchObject({ mentions: [offsets[1], offsets[2]] });
    await ada.append({ room: 'lobby', clientOffset: newId(), kind: 'delete', target: hello.clientOffset });
  }
  {
    using back = await connectClient(server.url, bo.session);
    expect(lobbyOf(back)).toMatchObject({ mentions: [offsets[2]] });
    await back.request('read', { room: 'lobby', upTo: offsets[2]! });
  }
  using back = await connectClient(server.url, bo.session);
  expect(lobbyOf(back)).not.toHaveProperty('mentions');
  using again = await connectClient(server.url, ada.session);
  expect(lobbyOf(again)).not.toHaveProperty('mentions'); // her own message mentions her
});

test('a mention of somebody who is not in the room is refused alone, also of one who has left', async () => {
  using ada = await person();
  using bo = await person();
  const nobody = { ...text('whom?'), mentions: [{ user: newId(), name: 'Nobody' }] };
  expect(await bo.request('room:leave', { room: 'lobby', clientOffset: newId() })).toMatchObject({
    ok: true,
  });
  await waitFor('the leave', () => ada.heard('lobby').some(({ kind }) => kind === 'leave'));
  const left = mentioning('gone', bo);
  expect(await ada.append(text('a'), nobody, left, text('b'))).toMatchObject({
    ok: true,
    results: [
      { serverOffset: expect.any(Number) },
      { error: { code: 'invalid', reason: 'mention-of-stranger' } },
      { error: { code: 'invalid', reason: 'mention-of-stranger' } },
      { serverOffset: expect.any(Number) },
    ],
  });
});

test('L3 a mention of somebody who has left since is answered as a repeat', async () => {
  using ada = await person();
  using bo = await person();
  const item = mentioning('hello', bo);
  const first = await ada.append(item);
  await bo.request('room:leave', { room: 'lobby', clientOffset: newId() });
  expect(await ada.append(item)).toMatchObject({ ok: true, results: first.ok && first.results });
});
