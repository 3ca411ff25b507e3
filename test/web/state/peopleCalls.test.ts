/** The requests about names and invitations, and what becomes of their answers. */
import { expect, test } from 'vitest';
import { deviceClock } from '../../../web/db/clock.ts';
import { createKeeperCalls } from '../../../web/state/keeperCalls.ts';
import { createPeopleCalls } from '../../../web/state/peopleCalls.ts';

const TOKEN = 'Mk9zD3-hQe6cX1bY0aVt7w';
const ID = 'x'.repeat(43);
const by = { id: 'AAAAAAAAAAAAAAAAAAAAAA', name: 'Mika\u202e', rev: 3 };

/** Calls whose requests all get this answer. */
function calls(status: number, answer: unknown) {
  const asked: string[] = [];
  const fetch = async (path: string, { method, body }: RequestInit) => {
    asked.push([method, path, ...(body ? [body] : [])].join(' '));
    return new Response(JSON.stringify(answer), { status });
  };
  const deps = { fetch: fetch as typeof globalThis.fetch, clock: deviceClock };
  return { asked, people: createPeopleCalls(deps), keepers: createKeeperCalls(deps) };
}

test('an invitation is made with its terms; link and code are in the answer', async () => {
  const terms = { lifetimeMs: 86_400_000, uses: 10, makesAccounts: false };
  const invitation = {
    id: ID,
    room: 'lobby',
    by,
    createdAt: 1,
    expiresAt: 2,
    maxUses: 10,
    uses: 0,
    makesAccounts: false,
  };
  const { asked, people } = calls(201, { invitation, token: TOKEN, code: 'K7Q-M4P' });
  expect(await people.invite('lobby', terms)).toEqual({
    ok: true,
    made: { token: TOKEN, code: 'K7Q-M4P', expiresAt: invitation.expiresAt },
  });
  expect(asked).toEqual([`POST /api/invitations ${JSON.stringify({ room: 'lobby', ...terms })}`]);
  const list = calls(200, { invitations: [invitation] });
  expect(await list.people.invitations('lobby')).toMatchObject({
    ok: true,
    invitations: [{ id: ID, uses: 0, by: { name: 'Mika' } }],
  });
  await list.people.invitations(undefined);
  expect(list.asked).toEqual(['GET /api/invitations?room=lobby', 'GET /api/invitations']);
});

test('whoever follows an invitation sees names that turn nothing beside them', async () => {
  const room = { id: 'lobby', name: 'Ward\u202e 5', members: 14 };
  const { asked, people } = calls(200, { room, by, newcomers: true });
  expect(await people.lookAtInvitation('K7Q-M4P')).toEqual({
    ok: true,
    invited: { room: { ...room, name: 'Ward 5' }, by: 'Mika', newcomers: true },
  });
  expect(asked).toEqual(['POST /api/invitations/look {"invite":"K7Q-M4P"}']);
});

test.each(['invitation-unknown', 'invitation-used-up', 'invitation-revoked', 'invitation-expired'])(
  '%s is told apart from other refusals',
  async (reason) => {
    const error = { code: 'forbidden', message: 'in English', reason };
    const { people } = calls(403, { ok: false, error });
    expect(await people.lookAtInvitation(TOKEN)).toMatchObject({ ok: false, reason: { code: reason } });
  },
);

test('a refusal for another reason keeps its code', async () => {
  const { people } = calls(404, { ok: false, error: { code: 'not-found', message: 'no', reason: 'other' } });
  expect(await people.revokeInvitation(ID)).toMatchObject({ ok: false, reason: { code: 'not-found' } });
});

test('a keeper finds people by any text, and is told a taken name from the last keeper', async () => {
  const person = { user: by, devices: 2, keeper: true };
  const found = calls(200, { people: [person] });
  expect(await found.keepers.people('a&b=林')).toEqual({
    ok: true,
    people: [{ ...person, user: { ...by, name: 'Mika' } }],
  });
  expect(found.asked).toEqual(['GET /api/people?name=a%26b%3D%E6%9E%97']);
  const { asked, keepers } = calls(409, { ok: false, error: { code: 'conflict', message: 'no' } });
  const codeOf = async (change: object) => {
    const outcome = await keepers.changePerson(by.id, change);
    return outcome.ok ? 'ok' : outcome.reason.code;
  };
  expect([await codeOf({ name: 'Lin' }), await codeOf({ keeper: false })]).toEqual([
    'conflict',
    'last-keeper',
  ]);
  expect(asked).toEqual([
    `PUT /api/people/${by.id} {"name":"Lin"}`,
    `PUT /api/people/${by.id} {"keeper":false}`,
  ]);
  expect(await calls(200, {}).keepers.server()).toEqual({ ok: true });
  expect(await calls(200, { freeBytes: 7, totalBytes: 9 }).keepers.server()).toEqual({
    ok: true,
    freeBytes: 7,
  });
});
