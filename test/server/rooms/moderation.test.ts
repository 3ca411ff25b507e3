/** Roles on the whole server: who gives them, who has them when others leave, and what is refused. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LOBBY } from '../../../shared/mint.ts';
import type { RoomRole } from '../../../shared/protocol/index.ts';
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
const idOf = ({ session }: ApiClient) => session.user.id;

/** Its first member has created it; the others have joined in this order. */
async function roomOf(...people: ApiClient[]): Promise<string> {
  const room = newId();
  const [creator, ...others] = people as [ApiClient, ...ApiClient[]];
  const created = await creator.makeRoom({ id: room, kind: 'public', name: 'Ward 5' });
  expect(created.ok).toBe(true);
  for (const other of others)
    expect((await other.request('room:join', { room, clientOffset: newId() })).ok).toBe(true);
  return room;
}

const give = (by: ApiClient, room: string, to: ApiClient, role: RoomRole, more: object = {}) =>
  by.request('room:role', { room, clientOffset: newId(), user: idOf(to), role, ...more });

async function rolesOf(asker: ApiClient, room: string) {
  const answer = await asker.request('room:roles', { room });
  if (!answer.ok) throw new Error(answer.error.message);
  return answer;
}

async function kindsIn(asker: ApiClient, room: string): Promise<string[]> {
  const answer = await asker.request('range', { room, from: 1, to: 100 });
  return answer.ok ? answer.entries.map(({ kind }) => kind) : [];
}

const refused = (code: string, reason?: string) => ({
  ok: false,
  error: { code, message: expect.any(String), ...(reason && { reason }) },
});

test('the creator of a room owns it, and gives and takes roles; each change is one entry, also when it is repeated', async () => {
  using mika = await person();
  using lin = await person();
  using osei = await person();
  const room = await roomOf(mika, lin, osei);
  expect(await rolesOf(lin, room)).toMatchObject({ roles: { [idOf(mika)]: 'owner' }, own: 'member' });
  const request = { room, clientOffset: newId(), user: idOf(lin), role: 'moderator' as const };
  for (const answer of [
    await mika.request('room:role', request),
    await mika.request('room:role', request),
    await give(mika, room, lin, 'moderator'), // is one already
  ])
    expect(answer).toMatchObject({ ok: true });
  expect(await rolesOf(lin, room)).toMatchObject({
    roles: { [idOf(mika)]: 'owner', [idOf(lin)]: 'moderator' },
    own: 'moderator',
    users: { [idOf(mika)]: { name: mika.session.user.name } },
  });
  expect(await give(lin, room, osei, 'moderator')).toMatchObject(refused('forbidden', 'role-needed'));
  expect(await give(osei, room, lin, 'member')).toMatchObject(refused('forbidden', 'role-needed'));
  expect(await give(lin, room, lin, 'owner')).toMatchObject(refused('forbidden', 'role-needed'));
  expect(await give(mika, room, mika, 'member')).toMatchObject(refused('forbidden', 'role-last-owner'));
  expect(await give(lin, room, lin, 'member')).toMatchObject({ ok: true });
  using stranger = await person();
  expect(await give(mika, room, stranger, 'moderator')).toMatchObject(refused('not-found', 'role-no-member'));
  expect(await give(stranger, room, lin, 'moderator')).toMatchObject(refused('forbidden'));
  expect(await stranger.request('room:roles', { room })).toMatchObject(refused('forbidden'));
  expect(await kindsIn(mika, room)).toEqual(['create', 'join', 'join', 'role', 'role']);
});

test('a room is handed on, and the first owner stays as a moderator', async () => {
  using mika = await person();
  using lin = await person();
  const room = await roomOf(mika, lin);
  expect((await give(mika, room, lin, 'owner', { handsOn: true })).ok).toBe(true);
  expect(await rolesOf(mika, room)).toMatchObject({
    roles: { [idOf(lin)]: 'owner', [idOf(mika)]: 'moderator' },
    own: 'moderator',
  });
});

test('the only owner who leaves hands on to the eldest moderator, else to the eldest member, by an entry', async () => {
  using mika = await person();
  using lin = await person();
  using osei = await person();
  const room = await roomOf(mika, lin, osei);
  await give(mika, room, osei, 'moderator');
  const leave = (client: ApiClient) => client.request('room:leave', { room, clientOffset: newId() });
  expect((await leave(mika)).ok).toBe(true);
  expect((await rolesOf(lin, room)).roles).toEqual({ [idOf(osei)]: 'owner' });
  expect((await leave(osei)).ok).toBe(true);
  expect((await rolesOf(lin, room)).roles).toEqual({ [idOf(lin)]: 'owner' });
  expect(await kindsIn(lin, room)).toEqual([
    ...['create', 'join', 'join', 'role', 'role', 'leave', 'role', 'leave'],
  ]);
  expect((await leave(lin)).ok).toBe(true); // nobody is left
  using later = await person();
  expect((await later.request('room:join', { room, clientOffset: newId() })).ok).toBe(true);
  expect(await rolesOf(later, room)).toMatchObject({ own: 'owner' });
});

test('who made the room and was given another role does not get it back by returning', async () => {
  using mika = await person();
  using lin = await person();
  const room = await roomOf(mika, lin);
  expect((await give(mika, room, lin, 'owner')).ok).toBe(true);
  expect((await give(lin, room, mika, 'member')).ok).toBe(true);
  await mika.request('room:leave', { room, clientOffset: newId() });
  await mika.request('room:join', { room, clientOffset: newId() });
  expect(await rolesOf(mika, room)).toMatchObject({ roles: { [idOf(lin)]: 'owner' }, own: 'member' });
});

test('two owners who demote each other, or leave, at the same moment: the room has one', async () => {
  using mika = await person();
  using lin = await person();
  using osei = await person();
  const leave = (client: ApiClient, room: string) =>
    client.request('room:leave', { room, clientOffset: newId() });
  for (let n = 0; n < 4; n++) {
    const room = await roomOf(mika, lin, osei);
    await give(mika, room, lin, 'owner');
    await Promise.all([give(mika, room, lin, 'member'), give(lin, room, mika, 'member')]);
    expect(Object.values((await rolesOf(osei, room)).roles)).toEqual(['owner']);
    const other = await roomOf(mika, lin, osei);
    await give(mika, other, lin, 'owner');
    await Promise.all([leave(mika, other), leave(lin, other)]);
    expect((await rolesOf(osei, other)).roles).toEqual({ [idOf(osei)]: 'owner' });
  }
});

test('the lobby has no owner: keepers name its moderators', async () => {
  await using fresh = await startApp();
  const there = async (name: string) => connectClient(fresh.url, await signUp(fresh.url, name));
  using keeper = await there('Kim');
  using lin = await there('Lin');
  const headers = { authorization: `Bearer ${keeper.session.token}`, 'content-type': 'application/json' };
  expect((await fetch(`${fresh.url}/api/keeper`, { method: 'POST', headers })).status).toBe(200);
  expect(await rolesOf(lin, LOBBY)).toMatchObject({ roles: {}, own: 'member' });
  expect(await give(lin, LOBBY, lin, 'moderator')).toMatchObject(refused('forbidden'));
  expect(await give(keeper, LOBBY, lin, 'owner')).toMatchObject(refused('forbidden'));
  expect((await give(keeper, LOBBY, lin, 'moderator')).ok).toBe(true);
  expect(await rolesOf(keeper, LOBBY)).toMatchObject({ roles: { [idOf(lin)]: 'moderator' }, own: 'owner' });
  expect(await give(lin, LOBBY, keeper, 'moderator')).toMatchObject(refused('forbidden', 'role-needed'));
});

test('moderators remove members, owners also moderators; nobody removes an owner but another one, or themselves', async () => {
  using mika = await person();
  using lin = await person();
  using osei = await person();
  const room = await roomOf(mika, lin, osei);
  const remove = (by: ApiClient, whom: ApiClient, ban = false) =>
    by.request('room:remove', { room, clientOffset: newId(), user: idOf(whom), ban });
  expect(await remove(lin, osei)).toMatchObject(refused('forbidden', 'role-needed'));
  await give(mika, room, lin, 'moderator');
  expect(await remove(lin, mika)).toMatchObject(refused('forbidden', 'role-needed'));
  expect(await remove(lin, lin)).toMatchObject(refused('forbidden', 'role-yourself'));
  expect(await remove(mika, mika, true)).toMatchObject(refused('forbidden', 'role-yourself'));
  const request = { room, clientOffset: newId(), user: idOf(osei) };
  expect(await lin.request('room:remove', request)).toMatchObject({ ok: true });
  expect(await lin.request('room:remove', request)).toMatchObject({ ok: true });
  expect(await remove(lin, osei)).toMatchObject(refused('not-found', 'role-no-member'));
  expect(await remove(mika, lin)).toMatchObject({ ok: true });
  expect(await kindsIn(mika, room)).toEqual(['create', 'join', 'join', 'role', 'removal', 'removal']);
});

test('who is removed is told so on every device, also on one that was away; what waits there is forbidden with a reason', async () => {
  using mika = await person();
  using lin = await person();
  using tab = await connectClient(server.url, lin.session);
  const room = await roomOf(mika, lin);
  const item = { room, clientOffset: newId(), kind: 'text' as const, body: 'I was here' };
  await lin.append(item);
  const head = await lin.request('range', { room, from: 1, to: 3 });
  const last = head.ok ? head.entries.at(-1)! : undefined;
  await mika.request('room:remove', { room, clientOffset: newId(), user: idOf(lin) });
  const removed = { event: 'room', payload: { removed: room, reason: 'out-removed' } };
  for (const client of [lin, tab])
    await waitFor('told', () =>
      client.frames.some((frame) => JSON.stringify(frame) === JSON.stringify(removed)),
    );
  const late = await lin.append({ ...item, clientOffset: newId() });
  expect(late).toMatchObject({
    ok: true,
    results: [{ error: { code: 'forbidden', reason: 'out-removed' } }],
  });
  expect(await lin.append(item)).toMatchObject({ results: [{ serverOffset: last!.serverOffset }] }); // L3
  const cursors = {
    [room]: [last!.serverOffset, last!.at] as [number, number],
    [newId()]: [1, 1] as [number, number],
  };
  using away = await connectClient(server.url, lin.session, { cursors });
  expect(away.welcome.gone).toEqual([{ id: room, reason: 'out-removed' }]);
  await lin.request('room:join', { room, clientOffset: newId() });
  using back = await connectClient(server.url, lin.session, { cursors });
  expect(back.welcome.gone).toBeUndefined();
});

test('a ban keeps out, with any invitation, until it is lifted; moderators see who is banned', async () => {
  using mika = await person();
  using lin = await person();
  using osei = await person();
  const room = newId();
  await mika.makeRoom({ id: room, kind: 'private', name: 'Ward 5' });
  const headers = { authorization: `Bearer ${mika.session.token}`, 'content-type': 'application/json' };
  const made = await fetch(`${server.url}/api/invitations`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ room }),
  });
  const { token: invite } = (await made.json()) as { token: string };
  const join = (client: ApiClient) => client.request('room:join', { room, clientOffset: newId(), invite });
  for (const client of [lin, osei]) expect((await join(client)).ok).toBe(true);
  await mika.request('room:remove', { room, clientOffset: newId(), user: idOf(lin), ban: true });
  expect(await join(lin)).toMatchObject(refused('forbidden', 'out-banned'));
  expect(await lin.append({ room, clientOffset: newId(), kind: 'text', body: 'x' })).toMatchObject({
    results: [{ error: { code: 'forbidden', reason: 'out-banned' } }],
  });
  expect(await rolesOf(mika, room)).toMatchObject({
    banned: [idOf(lin)],
    users: { [idOf(lin)]: { name: lin.session.user.name } },
  });
  expect(await rolesOf(osei, room)).not.toHaveProperty('banned');
  const unban = (by: ApiClient) => by.request('room:unban', { room, clientOffset: newId(), user: idOf(lin) });
  expect(await unban(osei)).toMatchObject(refused('forbidden', 'role-needed'));
  expect(await unban(mika)).toMatchObject({ ok: true });
  expect((await join(lin)).ok).toBe(true);
  expect(await kindsIn(mika, room)).toEqual(['create', 'join', 'join', 'ban', 'unban', 'join']);
});

test('the invitations of somebody who is removed end', async () => {
  using mika = await person();
  using lin = await person();
  const room = await roomOf(mika, lin);
  const headers = { authorization: `Bearer ${lin.session.token}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ room });
  const made = await fetch(`${server.url}/api/invitations`, { method: 'POST', headers, body });
  const { token: invite } = (await made.json()) as { token: string };
  await mika.request('room:remove', { room, clientOffset: newId(), user: idOf(lin) });
  using osei = await person();
  expect(await osei.request('room:join', { room, clientOffset: newId(), invite })).toMatchObject(
    refused('forbidden', 'invitation-revoked'),
  );
});

test('O2 a moderator deletes anybody’s message by an item; it is gone from ranges, quotes and the store, and says by whom', async () => {
  using mika = await person();
  using lin = await person();
  using osei = await person();
  const room = await roomOf(mika, lin, osei);
  await give(mika, room, lin, 'moderator');
  const secret = { room, clientOffset: newId(), kind: 'text' as const, body: 'the secret' };
  const target = { author: idOf(osei), clientOffset: secret.clientOffset };
  await osei.append(secret);
  await osei.append({
    room,
    clientOffset: newId(),
    kind: 'edit',
    target: secret.clientOffset,
    body: 'the secret!',
  });
  await mika.append({ room, clientOffset: newId(), kind: 'text', body: 'what?', replyTo: target });
  const takedown = { room, clientOffset: newId(), kind: 'takedown' as const, target };
  const refusal = { results: [{ error: { code: 'forbidden', reason: 'role-needed' } }] };
  expect(await osei.append({ ...takedown, clientOffset: newId() })).toMatchObject(refusal);
  const done = await lin.append(takedown);
  expect(done).toMatchObject({ results: [{ serverOffset: 8 }] });
  await give(mika, room, lin, 'member');
  expect(await lin.append(takedown)).toEqual(done); // L3
  expect(await lin.append({ ...takedown, clientOffset: newId() })).toMatchObject(refusal);
  const late = {
    room,
    clientOffset: newId(),
    kind: 'edit' as const,
    target: secret.clientOffset,
    body: 'a secret, late',
  };
  expect(await osei.append(late)).toMatchObject({ results: [{ serverOffset: expect.any(Number) }] });
  const all = await osei.request('range', { room, from: 1, to: 100 });
  expect(JSON.stringify(all)).not.toContain('secret');
  const entries = all.ok ? all.entries : [];
  expect(entries[4]).toMatchObject({ kind: 'text', author: idOf(osei), deleted: true });
  expect(entries[7]).toMatchObject({ kind: 'takedown', author: idOf(lin), subject: idOf(osei), target: 5 });
  const reply = await osei.request('range', { room, from: 7, to: 7 });
  expect(reply.ok && reply.quotes).toEqual([{ serverOffset: 5 }]);
});
