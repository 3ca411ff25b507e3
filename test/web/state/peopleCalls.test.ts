/** The requests about names and invitations, and what becomes of their answers. */
import { expect, test } from 'vitest';
import { deviceClock } from '../../../web/db/clock.ts';
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
  return {
    asked,
    people: createPeopleCalls({ fetch: fetch as typeof globalThis.fetch, clock: deviceClock }),
  };
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
  expect(await people.invite('lobby', terms)).toEqual({ ok: true, token: TOKEN, code: 'K7Q-M4P' });
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
