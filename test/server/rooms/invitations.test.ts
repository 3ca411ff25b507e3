/** Invitations to rooms, on the whole server: who makes them, who comes in by them, and how they end. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  INVITATION_LIFETIME_MAX_MS,
  INVITATION_LIFETIME_MS,
  INVITATION_USES_MAX,
  INVITATIONS_OF_MEMBER,
  WRONG_CODES_BURST_OF_ADDRESS,
} from '../../../shared/limits.ts';
import { LOBBY } from '../../../shared/mint.ts';
import type { Invitation, InvitationAnswer } from '../../../shared/protocol/index.ts';
import { type ApiClient, connectClient, newId, post, type SignedUp, signUp } from '../../support/api.ts';
import { type RunningApp, startApp } from '../../support/app.ts';
import { temporaryFolder } from '../../support/tmp.ts';

let server: RunningApp;
beforeAll(async () => {
  server = await startApp({ config: { trustProxy: { tag: 'hops', hops: 1 } } });
});
afterAll(() => server.stop());

let names = 0;
const person = async () => connectClient(server.url, await signUp(server.url, `person ${names++}`));

/** From an address of its own, so that guesses of one test do not count in another. */
let addresses = 0;
const newAddress = () => `198.51.100.${++addresses}`;

async function call(
  method: string,
  path: string,
  { by, body, from = '203.0.113.1', url = server.url }: Asked = {},
  // biome-ignore lint/suspicious/noExplicitAny: tests inspect any answer
): Promise<{ status: number; json: any }> {
  const answer = await fetch(`${url}/api${path}`, {
    method,
    headers: {
      'content-type': 'application/json',
      'x-forwarded-for': from,
      ...(by && { authorization: `Bearer ${by.token}` }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: answer.status, json: await answer.json() };
}

interface Asked {
  by?: SignedUp;
  body?: unknown;
  from?: string;
  url?: string;
}

async function make(by: ApiClient, body: object): Promise<InvitationAnswer> {
  const { status, json } = await call('POST', '/invitations', { by: by.session, body });
  expect(status, JSON.stringify(json)).toBe(201);
  return json;
}

async function roomOf(owner: ApiClient, kind: 'public' | 'private', name = 'Ward 5'): Promise<string> {
  const id = newId();
  expect(await owner.makeRoom({ id, kind, name })).toMatchObject({ ok: true });
  return id;
}

const join = (client: ApiClient, room: string, invite?: string) =>
  client.request('room:join', { room, clientOffset: newId(), ...(invite && { invite }) });

const look = (invite: string, from?: string) =>
  call('POST', '/invitations/look', { body: { invite }, ...(from && { from }) });

const refusal = (code: string, reason?: string) =>
  expect.objectContaining({ code, ...(reason && { reason }) });

test('whoever has the link or the code sees who invites where, joins a private room, and counts once', async () => {
  using mika = await person();
  using lin = await person();
  using osei = await person();
  const room = await roomOf(mika, 'private');
  const { invitation, token, code } = await make(mika, { room });
  expect(invitation).toMatchObject({
    room,
    by: mika.session.user,
    uses: 0,
    maxUses: 50,
    makesAccounts: false,
  });
  expect(invitation.expiresAt - invitation.createdAt).toBe(INVITATION_LIFETIME_MS);
  expect(JSON.stringify(invitation)).not.toContain(token);
  const shown = { room: { id: room, name: 'Ward 5', members: 1 }, by: mika.session.user, newcomers: true };
  expect(await look(token)).toEqual({ status: 200, json: shown });
  expect((await look(` ${code.toLowerCase().replace('-', ' ')}`)).json).toEqual(shown);

  expect(await join(lin, room)).toMatchObject({ ok: false, error: { code: 'not-found' } });
  expect(await join(lin, room, token)).toMatchObject({ ok: true, room: { id: room, members: 2 } });
  expect(await join(lin, room, token)).toMatchObject({ ok: true });
  expect(await join(osei, room, code)).toMatchObject({ ok: true, room: { members: 3 } });
  const mine = await call('GET', `/invitations?room=${room}`, { by: mika.session });
  expect(mine.json.invitations).toEqual([{ ...invitation, uses: 2 }]);
  await lin.request('room:leave', { room, clientOffset: newId() });
  expect(await join(lin, room, token)).toMatchObject({ ok: true });
  expect(
    (await call('GET', `/invitations?room=${room}`, { by: mika.session })).json.invitations[0].uses,
  ).toBe(2);
});

test('used up, revoked, expired, unknown and for another room each say which', async () => {
  using mika = await person();
  using lin = await person();
  using osei = await person();
  const [room, another] = [await roomOf(mika, 'private'), await roomOf(mika, 'private')];
  const once = await make(mika, { room, uses: 1 });
  expect(await join(lin, another, once.token)).toMatchObject({ ok: false, error: { code: 'not-found' } });
  expect(await join(lin, room, once.token)).toMatchObject({ ok: true });
  const usedUp = refusal('forbidden', 'invitation-used-up');
  expect(await join(osei, room, once.token)).toEqual(expect.objectContaining({ error: usedUp }));
  expect((await look(once.token)).json.error).toEqual(usedUp);

  const { invitation, token } = await make(mika, { room });
  expect((await call('DELETE', `/invitations/${invitation.id}`, { by: lin.session })).status).toBe(404);
  for (let n = 0; n < 2; n++)
    expect((await call('DELETE', `/invitations/${invitation.id}`, { by: mika.session })).status).toBe(200);
  const revoked = refusal('forbidden', 'invitation-revoked');
  expect(await join(osei, room, token)).toEqual(expect.objectContaining({ error: revoked }));

  const brief = await make(mika, { room, lifetimeMs: 1 });
  await expect
    .poll(async () => (await look(brief.code)).json.error, { timeout: 20_000 })
    .toEqual(refusal('forbidden', 'invitation-expired'));
  const unknown = refusal('not-found', 'invitation-unknown');
  const from = newAddress();
  for (const invite of [newId(), 'ABC-DEF', '', 'no such thing'])
    expect((await look(invite, from)).json.error).toEqual(unknown);
  expect(await osei.request('range', { room, from: 1, to: 9 })).toMatchObject({ ok: false });
});

test('a private room is for its creator to invite to, a public one for each member; strangers may do nothing', async () => {
  using mika = await person();
  using lin = await person();
  using stranger = await person();
  const [hidden, open] = [await roomOf(mika, 'private'), await roomOf(mika, 'public')];
  await join(lin, hidden, (await make(mika, { room: hidden })).token);
  await join(lin, open);
  const asks = async (by: ApiClient, room: string, more = {}) =>
    (await call('POST', '/invitations', { by: by.session, body: { room, ...more } })).json.error;
  expect(await asks(lin, hidden)).toEqual(refusal('forbidden'));
  expect(await asks(stranger, hidden)).toEqual(refusal('not-found'));
  expect(await asks(stranger, open)).toEqual(refusal('forbidden'));
  expect(await asks(lin, open, { makesAccounts: true })).toEqual(refusal('forbidden'));
  for (const bad of [
    { lifetimeMs: 0 },
    { lifetimeMs: INVITATION_LIFETIME_MAX_MS + 1 },
    { uses: 0 },
    { uses: INVITATION_USES_MAX + 1 },
    { uses: 1.5 },
    { room: 'no id' },
  ])
    expect(await asks(lin, open, bad)).toEqual(refusal('invalid'));
  const { invitation } = await make(lin, { room: open });
  const listed = async (by: ApiClient, room: string) => {
    const { json } = await call('GET', `/invitations?room=${room}`, { by: by.session });
    return json.error?.code ?? json.invitations.map(({ id }: Invitation) => id);
  };
  expect(await listed(mika, open)).toEqual([invitation.id]);
  expect(await listed(lin, hidden)).toEqual([]);
  expect(await listed(stranger, open)).toBe('forbidden');
  expect(await listed(stranger, hidden)).toBe('not-found');
  expect((await call('GET', '/invitations', { by: mika.session })).status).toBe(403);
  expect((await call('GET', '/invitations')).status).toBe(401);
  expect((await call('DELETE', `/invitations/${invitation.id}`, { by: mika.session })).status).toBe(200);
  for (let n = 1; n <= INVITATIONS_OF_MEMBER; n++) await make(mika, { room: open });
  expect(await asks(mika, open)).toEqual(refusal('forbidden'));
});

test('an invitation ends with the leaving of its maker, also after coming back', async () => {
  using mika = await person();
  using lin = await person();
  const room = await roomOf(mika, 'public');
  const { token } = await make(mika, { room });
  const elsewhere = await make(mika, { room: LOBBY });
  await mika.request('room:leave', { room, clientOffset: newId() });
  const revoked = refusal('forbidden', 'invitation-revoked');
  expect((await look(token)).json.error).toEqual(revoked);
  await join(mika, room);
  expect((await look(token)).json.error).toEqual(revoked);
  expect(await join(lin, room, token)).toEqual(expect.objectContaining({ error: revoked }));
  expect((await look(elsewhere.token)).status).toBe(200);
});

test('guesses of codes are limited at an address, and leave others alone; right codes do not count', async () => {
  using mika = await person();
  const { code } = await make(mika, { room: LOBBY });
  const from = newAddress();
  for (let n = 0; n < WRONG_CODES_BURST_OF_ADDRESS; n++) {
    expect((await look(code, from)).status).toBe(200);
    expect((await look('000-000', from)).status).toBe(404);
  }
  const limited = await look(code, from);
  expect([limited.status, limited.json.error.retryAfter > 0]).toEqual([429, true]);
  expect((await look(code, newAddress())).status).toBe(200);
});

test('a server that takes new users by invitation takes those whom a keeper has invited, up to the maximum; a claim counts once', async () => {
  await using folder = await temporaryFolder();
  const before = await startApp({ data: folder.path });
  const [kim, lin] = [await signUp(before.url, 'Kim'), await signUp(before.url, 'Lin')];
  await before.store.keepers.add(kim.user.id, 1);
  await before.stop();
  await using invited = await startApp({ data: folder.path, config: { signUp: 'invite' } });
  const { url } = invited;
  const made = async (by: SignedUp, more: object): Promise<InvitationAnswer> =>
    (await call('POST', '/invitations', { url, by, body: { room: LOBBY, ...more } })).json;
  const enter = async (name: string, invite?: string, claim = newId()) => {
    const { status, json } = await call('POST', '/session', {
      url,
      body: { name, claim, credential: 'token', ...(invite && { invite }) },
    });
    return status === 201 ? json.user.name : json.error.reason;
  };
  const [marked, plain] = [await made(kim, { makesAccounts: true, uses: 2 }), await made(lin, {})];
  const newcomers = async (invite: string) =>
    (await call('POST', '/invitations/look', { url, body: { invite } })).json.newcomers;
  expect([await newcomers(marked.code), await newcomers(plain.token)]).toEqual([true, false]);

  expect(await enter('Ada')).toBe('invitation-needed');
  expect(await enter('Ada', plain.token)).toBe('invitation-needed');
  expect(await enter('Ada', newId())).toBe('invitation-unknown');
  const claim = newId();
  expect(await enter('Ada', marked.code, claim)).toBe('Ada');
  expect(await enter('Ada', marked.code, claim)).toBe('Ada');
  const tabs = await Promise.all(['Bo', 'Cy', 'Di'].map((name) => enter(name, marked.token)));
  expect(tabs.filter((one) => one === 'invitation-used-up')).toHaveLength(2);
  expect(await invited.store.invitations.find(marked.invitation.id)).toMatchObject({ uses: 2 });
  using ada = await connectClient(
    url,
    (await (
      await post(url, '/api/session', {
        name: 'Ada',
        claim,
        credential: 'token',
      })
    ).json()) as SignedUp,
  );
  expect(await join(ada, LOBBY, marked.token)).toMatchObject({ ok: true });
  expect(await invited.store.users.byNameKey('lin')).toBeDefined();
});

test('a name that somebody else gets at the same moment gives the use back', async () => {
  await using folder = await temporaryFolder();
  const before = await startApp({ data: folder.path });
  const kim = await signUp(before.url, 'Kim');
  await before.store.keepers.add(kim.user.id, 1);
  await before.stop();
  await using invited = await startApp({ data: folder.path, config: { signUp: 'invite' } });
  const { url } = invited;
  const body = { room: LOBBY, makesAccounts: true };
  const { invitation, token } = (await call('POST', '/invitations', { url, by: kim, body })).json;
  const enter = () =>
    call('POST', '/session', {
      url,
      body: { name: 'Ada', claim: newId(), credential: 'token', invite: token },
    });
  const answers = await Promise.all([enter(), enter(), enter()]);
  expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409]);
  expect(await invited.store.invitations.find(invitation.id)).toMatchObject({ uses: 1 });
});
