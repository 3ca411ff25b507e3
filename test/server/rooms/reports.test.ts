/** Reports of messages and people, on the whole server: whom they reach, what those see, and what is refused. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { directRoomOf } from '../../../shared/directPair.ts';
import { REPORT_REASON_MAX_CODE_POINTS, REPORTS_OPEN_MAX, REPORTS_PER_DAY } from '../../../shared/limits.ts';
import { LOBBY } from '../../../shared/mint.ts';
import type { Report, ReportAnswer } from '../../../shared/protocol/index.ts';
import { type ApiClient, connectClient, newId, signUp, text } from '../../support/api.ts';
import { type RunningApp, startApp } from '../../support/app.ts';
import { waitFor } from '../../support/waitFor.ts';

let server: RunningApp;
let keeper: ApiClient;
beforeAll(async () => {
  server = await startApp();
  keeper = await person();
  await server.store.keepers.add(idOf(keeper), 1);
  // a process notices after KEEPERS_CACHED_MS
  await waitFor('the role', async () => (await call(keeper, 'GET')).status === 200);
});
afterAll(async () => {
  keeper.close();
  await server.stop();
});

let names = 0;
const person = async () => connectClient(server.url, await signUp(server.url, `person ${names++}`));
const idOf = ({ session }: ApiClient) => session.user.id;

// biome-ignore lint/suspicious/noExplicitAny: tests inspect any answer
async function call(by: ApiClient, method: string, path = '', body?: unknown): Promise<any> {
  const answer = await fetch(`${server.url}/api/reports${path}`, {
    method,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${by.session.token}` },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: answer.status, json: await answer.json() };
}

const report = (by: ApiClient, body: object) => call(by, 'POST', '', body);
const open = async (by: ApiClient, room?: string): Promise<Report[]> =>
  (await call(by, 'GET', room === undefined ? '' : `?room=${room}`)).json.reports;
const about = (reports: Report[], whom: ApiClient) =>
  reports.filter(({ about: { id } }) => id === idOf(whom));

/** Its first member has created it. */
async function roomOf(...people: ApiClient[]): Promise<string> {
  const room = newId();
  const [creator, ...others] = people as [ApiClient, ...ApiClient[]];
  await creator.makeRoom({ id: room, kind: 'public', name: 'Ward 5' });
  for (const other of others) await other.request('room:join', { room, clientOffset: newId() });
  return room;
}

/** Resolves with the serverOffset. */
async function say(by: ApiClient, room: string, body: string, key = newId()): Promise<number> {
  const answer = await by.append(text(body, room, key));
  const [result] = answer.ok ? answer.results : [];
  if (!result || !('serverOffset' in result)) throw new Error(JSON.stringify(answer));
  return result.serverOffset;
}

const bodies = ({ messages }: ReportAnswer) => messages.map(({ body }) => body);

test('a report of a message reaches the moderators of its room, with three messages before and after; nobody else sees it', async () => {
  using mika = await person();
  using osei = await person();
  using lin = await person();
  using rude = await person();
  using stranger = await person();
  const room = await roomOf(mika, osei, lin, rude);
  await mika.request('room:role', { room, clientOffset: newId(), user: idOf(osei), role: 'moderator' });
  for (const n of [1, 2, 3, 4]) await say(lin, room, `before ${n}`);
  const [key, edited] = [newId(), newId()];
  const message = await say(rude, room, 'You are stupid.', key);
  await say(lin, room, 'not so', edited);
  const editOf = { kind: 'edit', room, target: edited, body: 'Not so.', clientOffset: newId() } as const;
  await lin.append(editOf);
  await say(rude, room, 'after 2');
  for (const body of [
    { room, message, reason: ' Insults. ' },
    { room, message },
  ])
    expect(await report(lin, body)).toEqual({ status: 200, json: { ok: true } }); // a repeat is no second one
  await say(rude, room, 'written after the report');

  for (const moderator of [mika, osei]) {
    const [found, ...more] = await open(moderator, room);
    expect(more).toEqual([]);
    expect(found).toEqual({
      id: expect.any(String),
      by: lin.session.user,
      about: rude.session.user,
      createdAt: expect.any(Number),
      room,
      message,
      reason: 'Insults.',
    });
    const { status, json } = await call(moderator, 'GET', `/${found!.id}`);
    expect(status).toBe(200);
    expect(json).toMatchObject({ report: found, mayDelete: true });
    expect(bodies(json)).toEqual([
      'before 2',
      'before 3',
      'before 4',
      'You are stupid.',
      'Not so.',
      'after 2',
    ]);
    expect(json.messages[3]).toMatchObject({
      serverOffset: message,
      clientOffset: key,
      author: { id: idOf(rude) },
    });
    expect(json.messages[4]).not.toHaveProperty('firstBody'); // of a neighbour
  }
  const [{ id } = { id: '' }] = await open(mika, room);
  for (const other of [lin, rude]) {
    expect(await open(other, room)).toEqual([]);
    expect((await call(other, 'GET', `/${id}`)).status).toBe(404);
    expect((await call(other, 'DELETE', `/${id}`)).status).toBe(404);
  }
  expect((await call(stranger, 'GET', `?room=${room}`)).status).toBe(403);
  expect((await call(keeper, 'GET', `/${id}`)).status).toBe(404); // no member
  expect(about(await open(keeper), rude)).toEqual([]);
  expect((await call(lin, 'GET')).status).toBe(403);

  expect((await call(osei, 'DELETE', `/${id}`)).status).toBe(200);
  expect(await open(mika, room)).toEqual([]);
  expect((await call(mika, 'GET', `/${id}`)).status).toBe(404);
});

test('what is shown is the text that was reported, whatever its author edits later, with its first text', async () => {
  using mika = await person();
  using lin = await person();
  using rude = await person();
  const room = await roomOf(mika, lin, rude);
  for (const where of [room, directRoomOf(idOf(lin), idOf(rude))]) {
    const [key, early] = [newId(), newId()];
    const edit = (by: ApiClient, target: string, body: string) =>
      by.append({ kind: 'edit', room: where, target, clientOffset: newId(), body });
    await say(lin, where, 'Hello', early);
    const message = await say(rude, where, 'good morning', key);
    await edit(rude, key, 'a draft');
    await edit(rude, key, 'I WILL HURT YOU');
    expect((await report(lin, { room: where, message })).status).toBe(200);
    await edit(rude, key, 'good morning');
    await edit(lin, early, 'WRITTEN AFTER THE REPORT');
    const reader = where === room ? mika : keeper;
    const [found] = about(await open(reader, where === room ? room : undefined), rude);
    const { json } = await call(reader, 'GET', `/${found!.id}`);
    expect(bodies(json)).toEqual(['Hello', 'I WILL HURT YOU']);
    expect(json.messages[1]).toMatchObject({ serverOffset: message, firstBody: 'good morning' });
    expect(JSON.stringify(json)).not.toContain('AFTER THE REPORT');

    await rude.append({ kind: 'delete', room: where, target: key, clientOffset: newId() });
    const deleted = (await call(reader, 'GET', `/${found!.id}`)).json;
    expect(bodies(deleted)).toEqual(['Hello', undefined]);
    expect(JSON.stringify(deleted)).not.toMatch(/HURT|good morning/);
  }
});

test('no further message is shown where those around the reported one are deleted', async () => {
  using lin = await person();
  using rude = await person();
  const direct = directRoomOf(idOf(lin), idOf(rude));
  const remove = (target: string) =>
    rude.append({ kind: 'delete', room: direct, target, clientOffset: newId() });
  await say(lin, direct, 'further away');
  const keys = Array.from({ length: 6 }, newId);
  const gone = newId();
  for (const key of keys.slice(0, 2)) await say(rude, direct, 'near', key);
  await say(rude, direct, 'deleted before', gone);
  await remove(gone); // another one counts in its place, since that was before the report
  await say(rude, direct, 'near', keys[2]);
  const message = await say(rude, direct, 'You are stupid.');
  for (const key of keys.slice(3)) await say(rude, direct, 'near', key);
  await say(lin, direct, 'later on');
  await report(lin, { room: direct, message });
  const [found] = about(await open(keeper), rude);
  const seen = async () => bodies((await call(keeper, 'GET', `/${found!.id}`)).json);
  const three = ['near', 'near', 'near'];
  expect(await seen()).toEqual([...three, 'You are stupid.', ...three]);
  for (const key of keys) await remove(key);
  expect(await seen()).toEqual(['You are stupid.']);
});

test('a keeper who has left the lobby still sees and closes its reports', async () => {
  using lin = await person();
  using rude = await person();
  const message = await say(rude, LOBBY, 'You are stupid.');
  await report(lin, { room: LOBBY, message });
  expect(about(await open(keeper), rude)).toEqual([]); // it is among those of the lobby
  expect(about(await open(keeper, LOBBY), rude)).toHaveLength(1);
  await keeper.request('room:leave', { room: LOBBY, clientOffset: newId() });
  for (const room of [undefined, LOBBY]) {
    const [found] = about(await open(keeper, room), rude);
    const { status, json } = await call(keeper, 'GET', `/${found!.id}`);
    expect([status, bodies(json).at(-1), json.mayDelete]).toEqual([200, 'You are stupid.', false]);
  }
  const [found] = about(await open(keeper), rude);
  expect((await call(lin, 'GET', `/${found!.id}`)).status).toBe(404);
  expect((await call(keeper, 'DELETE', `/${found!.id}`)).status).toBe(200);
  expect(about(await open(keeper), rude)).toEqual([]);
  await keeper.request('room:join', { room: LOBBY, clientOffset: newId() });
});

test('a report goes to the keepers once the reported person alone moderates the room', async () => {
  using lin = await person();
  for (const how of ['leaves', 'steps down'] as const) {
    using mika = await person();
    using rude = await person();
    const room = await roomOf(mika, rude, lin);
    const message = await say(rude, room, 'You are stupid.');
    await report(lin, { room, message });
    expect(await open(mika, room)).toHaveLength(1);
    const setRole = (user: ApiClient, role: 'owner' | 'member') =>
      mika.request('room:role', { room, clientOffset: newId(), user: idOf(user), role });
    if (how === 'leaves') await mika.request('room:leave', { room, clientOffset: newId() });
    else {
      await setRole(rude, 'owner');
      expect(await open(mika, room)).toHaveLength(1); // another one is left
      await setRole(mika, 'member');
    }
    const [found, ...more] = about(await open(keeper), rude);
    expect(more).toEqual([]);
    expect(bodies((await call(keeper, 'GET', `/${found!.id}`)).json)).toEqual(['You are stupid.']);
    expect(await open(rude, room)).toEqual([]);
    expect((await call(rude, 'GET', `/${found!.id}`)).status).toBe(404);
    await report(lin, { room, message });
    expect(about(await open(keeper), rude)).toEqual([found]); // a repeat
  }
});

test('one that was not passed on is, when the room is looked at or the message reported again', async () => {
  using mika = await person();
  using rude = await person();
  using lin = await person();
  const room = await roomOf(rude, mika, lin);
  const message = await say(rude, room, 'You are stupid.');
  const missed = (id: string, by: ApiClient) =>
    server.store.reports.add(
      {
        id,
        createdBy: idOf(by),
        createdAt: Date.now(),
        about: idOf(rude),
        message: { room, serverOffset: message, head: message }, // as an older version made it
        recipients: 'moderators',
        expiresAt: Date.now() + 60_000,
      },
      { ofUser: 20, since: 0, open: 100 },
    );
  const ids = [newId(), newId()] as const;
  await missed(ids[0], lin);
  expect(about(await open(keeper), rude)).toEqual([]);
  await report(lin, { room, message });
  expect(about(await open(keeper), rude).map(({ id }) => id)).toEqual([ids[0]]);
  await missed(ids[1], mika);
  expect(await open(rude, room)).toEqual([]);
  expect(new Set(about(await open(keeper), rude).map(({ id }) => id))).toEqual(new Set(ids));
  expect(bodies((await call(keeper, 'GET', `/${ids[0]}`)).json)).toEqual(['You are stupid.']);
});

test('of a message that was deleted meanwhile nothing is shown, and it cannot be reported', async () => {
  using mika = await person();
  using lin = await person();
  using rude = await person();
  const room = await roomOf(mika, lin, rude);
  const [key, other] = [newId(), newId()];
  const message = await say(rude, room, 'secret', key);
  await say(rude, room, 'secret as well', other);
  await report(lin, { room, message });
  const remove = (target: string) =>
    rude.append({ kind: 'delete', room, target, clientOffset: newId() } as never);
  await remove(key);
  await remove(other);
  const [found] = await open(mika, room);
  const { json, status } = await call(mika, 'GET', `/${found!.id}`);
  expect(status).toBe(200);
  expect(JSON.stringify(json)).not.toContain('secret');
  expect(json.messages).toMatchObject([{ serverOffset: message }]);
  const again = await report(mika, { room, message });
  expect([again.status, again.json.error.reason]).toEqual([404, 'report-deleted']);
});

test('a direct conversation, a moderator and a person are reported to the keepers, who see nothing about themselves', async () => {
  using mika = await person();
  using lin = await person();
  using rude = await person();
  const direct = directRoomOf(idOf(lin), idOf(rude));
  await say(lin, direct, 'Hello');
  const message = await say(rude, direct, 'You are stupid.');
  expect((await report(mika, { room: direct, message })).status).toBe(404); // none of the two
  expect((await report(lin, { room: direct, message })).status).toBe(200);
  const [found] = about(await open(keeper), rude);
  expect((await call(mika, 'GET', `/${found!.id}`)).status).toBe(404);
  const seen = (await call(keeper, 'GET', `/${found!.id}`)).json;
  expect(bodies(seen)).toEqual(['Hello', 'You are stupid.']);
  expect(seen.mayDelete).toBe(false);
  expect((await call(keeper, 'DELETE', `/${found!.id}`)).status).toBe(200);

  const room = await roomOf(mika, lin);
  const byOwner = await say(mika, room, 'I rule here.');
  expect((await report(lin, { room, message: byOwner })).status).toBe(200);
  expect(await open(mika, room)).toEqual([]);
  const [ofOwner] = about(await open(keeper), mika);
  expect((await call(mika, 'GET', `/${ofOwner!.id}`)).status).toBe(404);
  expect((await call(keeper, 'GET', `/${ofOwner!.id}`)).json).toMatchObject({ mayDelete: false });

  expect((await report(lin, { person: idOf(rude), reason: 'The name' })).status).toBe(200);
  const [ofPerson] = about(await open(keeper), rude);
  expect(ofPerson).toMatchObject({ reason: 'The name', by: lin.session.user });
  expect((await call(keeper, 'GET', `/${ofPerson!.id}`)).json).toEqual({
    report: ofPerson,
    messages: [],
    mayDelete: false,
  });

  const lone = await report(lin, { person: idOf(keeper) });
  expect([lone.status, lone.json.error.reason]).toEqual([403, 'report-no-keeper']);
  await server.store.keepers.add(idOf(mika), 2);
  expect((await report(lin, { person: idOf(keeper) })).status).toBe(200);
  expect(about(await open(keeper), keeper)).toEqual([]);
  await server.store.keepers.remove(idOf(mika));
});

test('what is reported must be there, be somebody else’s, and have a short reason', async () => {
  using lin = await person();
  const own = await say(lin, LOBBY, 'mine');
  const refusal = async (body: object) => {
    const { status, json } = await report(lin, body);
    return [status, json.error.reason ?? json.error.code];
  };
  expect(await refusal({ room: LOBBY, message: own })).toEqual([403, 'report-own']);
  expect(await refusal({ person: idOf(lin) })).toEqual([403, 'report-own']);
  expect(await refusal({ person: newId() })).toEqual([404, 'not-found']);
  expect(await refusal({ room: LOBBY, message: 1 })).toEqual([404, 'not-found']); // a join
  expect(await refusal({ room: LOBBY, message: 9_999 })).toEqual([404, 'not-found']);
  expect(await refusal({ room: newId(), message: 1 })).toEqual([404, 'not-found']);
  for (const body of [{}, { room: LOBBY }, { message: 1 }, { person: 'x' }, { room: LOBBY, message: 0 }])
    expect(await refusal(body)).toEqual([400, 'invalid']);
  expect(
    await refusal({ person: idOf(keeper), reason: 'x'.repeat(REPORT_REASON_MAX_CODE_POINTS + 1) }),
  ).toEqual([413, 'too-large']);
  expect(await refusal({ person: idOf(keeper), reason: 'a\u0007' })).toEqual([400, 'invalid']);
});

test('a user makes so many reports a day, and so many wait for the moderators of a room', async () => {
  using mika = await person();
  using rude = await person();
  const room = await roomOf(mika, rude);
  const messages: number[] = [];
  for (let n = 0; n <= REPORTS_PER_DAY; n++) messages.push(await say(rude, room, `no ${n}`));
  const reporters = REPORTS_OPEN_MAX / REPORTS_PER_DAY;
  for (let one = 0; one <= reporters; one++) {
    using lin = await person();
    await lin.request('room:join', { room, clientOffset: newId() });
    const answers = await Promise.all(messages.map((message) => report(lin, { room, message })));
    const refused = answers.filter(({ status }) => status !== 200);
    expect(refused.map(({ status }) => status)).toEqual(Array(refused.length).fill(403));
    const reasons = refused.map(({ json }) => json.error.reason);
    if (one < reporters) expect(reasons).toEqual(['report-many']);
    else expect(new Set(reasons)).toEqual(new Set(['report-full']));
  }
  expect(await open(mika, room)).toHaveLength(REPORTS_OPEN_MAX);
});
