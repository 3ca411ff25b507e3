/** A server whose clock is an hour ahead, beside one whose clock is right, on one MongoDB. */
// @module-tag slow
import { expect, test } from 'vitest';
import { connectClient, newId, post, signUp, text } from '../../support/api.ts';
import { startMongo } from '../../support/mongo/index.ts';
import { startServer } from '../../support/serverProcess.ts';
import { wrongClock } from './badDays.ts';

test('codes made at one come in at the other, and entries have the right time; the log tells the operator', {
  timeout: 60_000,
}, async () => {
  await using mongo = await startMongo();
  const env = { MONGODB_URL: mongo.url };
  await using right = await startServer({ env });
  await using wrong = await startServer({ env: { ...env, ...wrongClock(3_600_000) } });
  const session = await signUp(wrong.url, 'Ada');
  const headers = { authorization: `Bearer ${session.token}` };
  for (const [made, used] of [
    [right.url, wrong.url],
    [wrong.url, right.url],
  ] as const) {
    const answer = await post(made, '/api/code', {}, headers);
    expect(answer.status).toBe(201);
    const { code } = (await answer.json()) as { code: string };
    const body = { pass: code, claim: newId(), credential: 'token' };
    const signedIn = await post(used, '/api/session/pass', body);
    expect(signedIn.status).toBe(201);
  }
  using ada = await connectClient(wrong.url, session);
  await ada.append(text('now'));
  const { at } = await ada.hears('now');
  expect(Math.abs(at - Date.now())).toBeLessThan(10_000);
  expect(wrong.logs()).toContain('The clock of this machine is ahead of that of the database');
  expect(right.logs()).not.toContain('The clock of this machine');
});
