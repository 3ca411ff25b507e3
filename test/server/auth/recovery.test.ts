/** Recovery codes: a person comes back on a new device without a password. */
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { createAuth } from '../../../server/auth/auth.ts';
import { createDeviceUse } from '../../../server/auth/deviceUse.ts';
import { createSignInLimits } from '../../../server/auth/signInLimits.ts';
import { createLogger } from '../../../server/base/logger.ts';
import {
  PASSES_BURST,
  WRONG_PASSWORDS_BURST,
  WRONG_PASSWORDS_BURST_OF_ADDRESS,
} from '../../../shared/limits.ts';
import { newId } from '../../support/api.ts';
import { fakeUsers } from './fakeUsers.ts';

const HOME = '192.0.2.1';
const AWAY = '198.51.100.1';

async function signedUp() {
  const store = fakeUsers();
  const clock = { now: 1_000_000 };
  const signedOut: string[] = [];
  const limitsHit: string[] = [];
  const auth = createAuth({
    store,
    now: () => clock.now,
    random: randomBytes,
    limits: createSignInLimits(
      () => clock.now,
      (limit) => void limitsHit.push(limit),
    ),
    signUp: 'open',
    admit: async () => async () => {},
    deviceUse: createDeviceUse({ store, now: () => clock.now, logger: createLogger('silent') }),
    onUserCreated: async () => {},
    onSignedOut: (device) => void signedOut.push(device),
    onRenamed: async () => {},
    roleOf: async () => undefined,
    checkSuspended: async () => {},
    features: () => [],
  });
  const { session, token } = await auth.signIn({ name: 'Ada', claim: newId() }, HOME);
  const ada = (await auth.identify(token, HOME))!;
  const recover = (recovery: string, more: object = {}, address = AWAY) =>
    auth.signIn({ name: 'ada', recovery, claim: newId(), ...more }, address);
  return { auth, store, clock, ada, user: session.user, signedOut, limitsHit, recover };
}

const refused = (code: string) => expect.objectContaining({ name: 'RefusedError', code });

test('a recovery code brings the user back on a new device, also a second time', async () => {
  const { auth, store, ada, user, signedOut, recover } = await signedUp();
  expect((await auth.session(ada)).hasRecoveryCode).toBe(false);
  const code = await auth.makeRecoveryCode(ada);
  expect(JSON.stringify([...store.users.values()])).not.toContain(code);
  const first = await recover(code);
  expect(first).toMatchObject({ isNew: false, session: { user, devices: 2, hasRecoveryCode: true } });
  expect(await auth.identify(first.token, AWAY)).toMatchObject({ user, hasPassword: false });
  expect((await recover(code)).session.devices).toBe(3);
  expect(signedOut).toEqual([]);
});

test('the old devices are signed out if wanted, also where the answer was lost and the claim comes again', async () => {
  const { auth, ada, user, signedOut, recover } = await signedUp();
  const code = await auth.makeRecoveryCode(ada);
  const claim = newId();
  const lost = await recover(code, { claim });
  const { session } = await recover(code, { claim, signOutOthers: true });
  expect(session).toMatchObject({ user, device: lost.session.device, devices: 1 });
  expect(signedOut).toEqual([ada.device]);
  // without a code, nobody is signed out
  await auth.signIn({ name: 'Ada', claim, signOutOthers: true }, AWAY);
  expect(signedOut).toEqual([ada.device]);
});

test('a code that was replaced, or is older than the password, is refused', async () => {
  const { auth, ada, recover } = await signedUp();
  const first = await auth.makeRecoveryCode(ada);
  const second = await auth.makeRecoveryCode(ada);
  await expect(recover(first)).rejects.toEqual(refused('unauthorized'));
  await recover(second);
  await auth.setPassword(ada, { password: 'correct horse' }, HOME);
  await expect(recover(second)).rejects.toEqual(refused('unauthorized'));
  const third = await auth.makeRecoveryCode(ada);
  expect((await recover(third)).session.hasPassword).toBe(true);
});

test('a code that is replaced while it is being checked leaves no device behind', async () => {
  const { auth, store, ada, recover } = await signedUp();
  const code = await auth.makeRecoveryCode(ada);
  const { addDevice } = store;
  store.addDevice = async (...args) => {
    await auth.makeRecoveryCode(ada);
    return addDevice(...args);
  };
  await expect(recover(code)).rejects.toEqual(refused('unauthorized'));
  expect([...store.devices.keys()]).toEqual([ada.device]);
});

test('a code of somebody else, of nobody, or without a code set: refused, and nobody is created', async () => {
  const { auth, store, ada, recover } = await signedUp();
  await expect(recover(newId())).rejects.toEqual(refused('unauthorized'));
  const code = await auth.makeRecoveryCode(ada);
  await auth.signIn({ name: 'Bo', claim: newId() }, HOME);
  for (const name of ['Bo', 'Adda'])
    await expect(recover(code, { name })).rejects.toEqual(refused('unauthorized'));
  expect(store.users.size).toBe(2);
});

test('signing in again as the same user: by the code, and only that user', async () => {
  const { auth, ada, user, recover } = await signedUp();
  const code = await auth.makeRecoveryCode(ada);
  expect((await recover(code, { as: user.id })).session.user).toEqual(user);
  await expect(recover(newId(), { as: user.id })).rejects.toEqual(refused('unauthorized'));
  await expect(recover(code, { as: newId() })).rejects.toEqual(refused('not-found'));
});

test('wrong codes are few for a user from an address, and few for a user; right ones do not count', async () => {
  const { auth, clock, limitsHit, ada, recover } = await signedUp();
  const code = await auth.makeRecoveryCode(ada);
  for (let n = 0; n < WRONG_PASSWORDS_BURST_OF_ADDRESS; n++) {
    await recover(code);
    clock.now += 6_000; // ten attempts a minute
    await expect(recover(newId())).rejects.toEqual(refused('unauthorized'));
    clock.now += 6_000;
  }
  for (;;) {
    const outcome = await recover(newId()).catch((error) => error.code);
    if (outcome === 'rate-limited') break;
    expect(outcome).toBe('unauthorized');
  }
  expect(new Set(limitsHit)).toEqual(new Set(['wrong passwords of address']));
  limitsHit.splice(0);
  for (let n = 0; n < WRONG_PASSWORDS_BURST; n++)
    await recover(newId(), {}, `203.0.113.${n}`).catch(() => {});
  await expect(recover(code, {}, '192.0.2.99')).rejects.toEqual(refused('rate-limited'));
  expect(new Set(limitsHit)).toEqual(new Set(['wrong passwords of user']));
  await recover(code, {}, HOME); // where the user has been lately
});

test('a user makes a limited number of codes', async () => {
  const { auth, ada } = await signedUp();
  for (let n = 0; n < PASSES_BURST; n++) await auth.makeRecoveryCode(ada);
  await expect(auth.makeRecoveryCode(ada)).rejects.toEqual(refused('rate-limited'));
});
