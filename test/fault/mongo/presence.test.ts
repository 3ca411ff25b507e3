/** Who is here, with three real server processes on one MongoDB: presence crosses them, and survives the kill of one. */
// @module-tag slow
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HERE_EVERY_MS } from '../../../shared/limits.ts';
import type { Frame, PersonPresence } from '../../../shared/protocol/index.ts';
import { type ApiClient, connectClient, newId, signUp } from '../../support/api.ts';
import { type MongoServer, startMongo } from '../../support/mongo/index.ts';
import { type ServerProcess, startServer } from '../../support/serverProcess.ts';
import { waitFor } from '../../support/waitFor.ts';

let mongo: MongoServer;
let servers: ServerProcess[];
beforeAll(async () => {
  mongo = await startMongo();
  const start = () => startServer({ env: { MONGODB_URL: mongo.url } });
  servers = [await start(), ...(await Promise.all([start(), start()]))];
}, 120_000);
afterAll(async () => {
  await Promise.all((servers ?? []).map((server) => server.dispose()));
  await mongo?.[Symbol.asyncDispose]();
});

/** What the frames of this client have said last of a person. */
function toldOf({ frames }: ApiClient, user: string): PersonPresence | undefined {
  return frames
    .flatMap(({ event, payload }) => (event === 'presence' ? [payload as Frame<'presence'>] : []))
    .flatMap((frame) => ('people' in frame && frame.people[user]) || [])
    .at(-1);
}

/** Says every HERE_EVERY_MS, as the app does, that somebody looks at this page. */
function keepSaying({ socket }: ApiClient): Disposable {
  const say = () => socket.emit('here', { here: true });
  say();
  const timer = setInterval(say, HERE_EVERY_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

test('a process that was killed takes its people offline within 30 s; they come back by another one', {
  timeout: 120_000,
}, async () => {
  const [one, two, three] = servers as [ServerProcess, ServerProcess, ServerProcess];
  const session = await signUp(one.url, 'bo');
  const { id } = session.user;
  using ada = await connectClient(two.url, await signUp(two.url, 'ada'));
  const bo = await connectClient(one.url, session);
  const lin = await signUp(three.url, 'lin');
  using stays = await connectClient(three.url, lin);
  const room = newId();
  await ada.makeRoom({ id: room, kind: 'public', name: 'a room' });
  for (const client of [bo, stays]) await client.request('room:join', { room, clientOffset: newId() });
  await waitFor('ada sees all members', async () => {
    const answer = await ada.request('presence', { room });
    return answer.ok && Object.keys(answer.people).length === 3;
  });
  using _ = keepSaying(stays);
  const saying = keepSaying(bo);
  await waitFor('both are here', () => [id, lin.user.id].every((user) => toldOf(ada, user)?.here));

  saying[Symbol.dispose]();
  await one.kill9();
  await waitFor('bo is gone', () => toldOf(ada, id)?.here === undefined, 30_000);
  expect(toldOf(ada, id)).toEqual({ seenAt: expect.any(Number) });
  await waitFor('lin is still here', () => toldOf(ada, lin.user.id)?.here);

  using again = await connectClient(three.url, session);
  using __ = keepSaying(again);
  await waitFor('bo is back', () => toldOf(ada, id)?.here);
});

test('a process that stands still takes its people offline; when it goes on they are here again, and those at it see all', {
  timeout: 120_000,
}, async () => {
  const [, two, three] = servers as [ServerProcess, ServerProcess, ServerProcess];
  const [max, kim] = [await signUp(two.url, 'max'), await signUp(three.url, 'kim')];
  using there = await connectClient(two.url, max);
  using here = await connectClient(three.url, kim);
  const room = newId();
  await here.makeRoom({ id: room, kind: 'public', name: 'another room' });
  await there.request('room:join', { room, clientOffset: newId() });
  for (const client of [here, there])
    await waitFor('both are members', async () => {
      const answer = await client.request('presence', { room });
      return answer.ok && Object.keys(answer.people).length === 2;
    });
  using _ = keepSaying(there);
  using __ = keepSaying(here);
  const seesBoth = (client: ApiClient) =>
    [max, kim].every(({ user }) => toldOf(client, user.id)?.here !== undefined);
  await waitFor('each sees both', () => seesBoth(there) && seesBoth(here));

  await two.pause();
  await waitFor('max is gone', () => toldOf(here, max.user.id)?.here === undefined, 30_000);
  await here.append({ kind: 'text', room, clientOffset: newId(), body: 'said meanwhile' });
  two.resume();
  await waitFor('each sees both again', () => seesBoth(there) && seesBoth(here), 30_000);
  await there.hears('said meanwhile', room);
  expect(there.heard(room).map(({ serverOffset }) => serverOffset)).toEqual([1, 2, 3]); // made, joined, and this
});
