import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { createAuth } from '../../../server/auth/auth.ts';
import { createDeviceUse } from '../../../server/auth/deviceUse.ts';
import { codeFrom, readPass } from '../../../server/auth/passes.ts';
import { createSignInLimits } from '../../../server/auth/signInLimits.ts';
import { createLogger } from '../../../server/base/logger.ts';
import {
  CODE_LENGTH,
  DEVICES_MAX,
  PASS_LIFETIME_MS,
  PASSES_BURST,
  SIGN_INS_BURST_OF_ADDRESS,
  WRONG_CODES_BURST,
  WRONG_CODES_BURST_OF_ADDRESS,
} from '../../../shared/limits.ts';
import { newId } from '../../support/api.ts';
import { fakeUsers } from './fakeUsers.ts';

const HOME = '192.0.2.1';
const WRONG = 'ZZZ-ZZZ';

async function signedUp(random: (bytes: number) => Uint8Array = randomBytes) {
  const store = fakeUsers();
  const clock = { now: 1_000_000 };
  const logger = createLogger('silent');
  const auth = createAuth({
    store,
    now: () => clock.now,
    random,
    limits: createSignInLimits(() => clock.now),
    signUp: 'open',
    admit: async () => async () => {},
    deviceUse: createDeviceUse({ store, now: () => clock.now, logger }),
    onUserCreated: async () => {},
    onSignedOut: () => {},
    onRenamed: async () => {},
    roleOf: async () => undefined,
    checkSuspended: async () => {},
    features: () => [],
  });
  const { session, token } = await auth.signIn({ name: 'Ada', claim: newId() }, HOME);
  const ada = (await auth.identify(token, HOME))!;
  const use = (pass: string, claim = newId(), address = HOME) => auth.signInByPass({ pass, claim }, address);
  return { auth, store, clock, ada, user: session.user, use };
}

const refused = (code: string) => expect.objectContaining({ name: 'RefusedError', code });

test('a code is six symbols that are told apart, and is read however it is typed', () => {
  expect(codeFrom(Uint8Array.of(7, 20, 23, 20, 4, 22))).toBe('7MQ-M4P');
  expect(() => codeFrom(new Uint8Array(5))).toThrow(RangeError);
  const { kind, hash } = readPass('K0Q-M1P')!;
  expect(kind).toBe('code');
  for (const typed of ['k0q m1p', ' KOQMIP ', 'k o q–m l p', 'Ｋ０Ｑ－Ｍ１Ｐ', 'K0Q.M1P'])
    expect(readPass(typed)?.hash, typed).toBe(hash);
  for (const typed of ['', 'K0Q-M1', 'K0Q-M1PP', 'K0Q-M1U', 'K0Q-M1é', 'A'.repeat(99), '-'.repeat(30)])
    expect(readPass(typed), typed).toBeUndefined();
  expect(readPass('AAAAAAAAAAAAAAAA-_AAAA')).toMatchObject({ kind: 'link' });
});

test('all codes are equally likely', () => {
  const seen = new Map<string, number>();
  for (let byte = 0; byte < 256; byte++) {
    const [symbol] = codeFrom(new Uint8Array(CODE_LENGTH).fill(byte));
    seen.set(symbol!, (seen.get(symbol!) ?? 0) + 1);
  }
  expect([...seen.keys()].toSorted().join('')).toBe('0123456789ABCDEFGHJKMNPQRSTVWXYZ');
  expect(new Set(seen.values())).toEqual(new Set([8]));
});

test.each(['link', 'code'] as const)('a %s signs in a new device, once', async (kind) => {
  const { auth, store, clock, ada, user, use } = await signedUp();
  const { pass, expiresAt } = await auth.makePass(ada, kind);
  expect(expiresAt).toBe(clock.now + PASS_LIFETIME_MS);
  expect(pass).toMatch(kind === 'code' ? /^[0-9A-Z]{3}-[0-9A-Z]{3}$/ : /^[\w-]{22}$/);
  expect(JSON.stringify([...store.passes.values()])).not.toContain(pass);
  const { session, token } = await use(pass);
  expect(session).toMatchObject({ user, hasPassword: false, devices: 2 });
  expect(session.device.id).not.toBe(ada.device);
  expect(await auth.identify(token, HOME)).toMatchObject({ user, device: session.device.id });
  await expect(use(pass)).rejects.toEqual(refused('unauthorized'));
});

test('a lost answer: the same claim is the same device, by the pass, and later by the name', async () => {
  const { auth, ada, user, use } = await signedUp();
  const { pass } = await auth.makePass(ada, 'link');
  const claim = newId();
  const first = await use(pass, claim);
  const again = await use(pass, claim);
  expect(again.session).toEqual(first.session);
  expect(await auth.identify(first.token, HOME)).toBeUndefined();
  const later = await auth.signIn({ name: 'Ada', claim, as: user.id }, HOME);
  expect(later.session.device).toEqual(first.session.device);
});

test.each(['link', 'code'] as const)('a %s is valid for ten minutes', async (kind) => {
  const { auth, clock, ada, use } = await signedUp();
  const { pass } = await auth.makePass(ada, kind);
  clock.now += PASS_LIFETIME_MS;
  await expect(use(pass)).rejects.toEqual(refused('unauthorized'));
  clock.now--;
  await use(pass);
});

test('a pass ends with the device that made it: signed out, or by a change of the password elsewhere', async () => {
  const { auth, ada, use } = await signedUp();
  const { session } = await use((await auth.makePass(ada, 'code')).pass);
  const stolen = { ...ada, device: session.device.id };
  const [link, code] = [await auth.makePass(stolen, 'link'), await auth.makePass(stolen, 'code')];
  await auth.setPassword(ada, { password: 'correct horse' }, HOME);
  for (const { pass } of [link, code]) await expect(use(pass)).rejects.toEqual(refused('unauthorized'));
  const own = await auth.makePass(ada, 'link');
  await auth.signOut(ada);
  await expect(use(own.pass)).rejects.toEqual(refused('unauthorized'));
});

test('a new code replaces the last one; one that is taken by chance is drawn again', async () => {
  const drawn = ['AAAAAA', 'BBBBBB', 'AAAAAA', 'CCCCCC'];
  const { auth, ada, user, use } = await signedUp((bytes) =>
    bytes === CODE_LENGTH
      ? Uint8Array.from(drawn.shift()!, (symbol) => symbol.charCodeAt(0) - 55)
      : randomBytes(bytes),
  );
  expect((await auth.makePass(ada, 'code')).pass).toBe('AAA-AAA');
  const { token } = await auth.signIn({ name: 'Bo', claim: newId() }, HOME);
  const bo = (await auth.identify(token, HOME))!;
  expect((await auth.makePass(bo, 'code')).pass).toBe('BBB-BBB');
  expect((await auth.makePass(bo, 'code')).pass).toBe('CCC-CCC');
  await expect(use('BBB-BBB')).rejects.toEqual(refused('unauthorized'));
  expect((await use('aaa aaa')).session.user).toEqual(user);
});

test('wrong codes are few for an address, and few for all; a right one does not count, nor does a pass', async () => {
  const { auth, clock, ada, use } = await signedUp();
  for (let n = 0; n < 2 * WRONG_CODES_BURST_OF_ADDRESS; n++)
    await use((await auth.makePass(ada, 'code')).pass);
  for (let n = 0; n < WRONG_CODES_BURST_OF_ADDRESS; n++)
    await expect(use(n % 2 ? 'not a code' : WRONG)).rejects.toEqual(refused('unauthorized'));
  const { pass } = await auth.makePass(ada, 'code');
  await expect(use(pass)).rejects.toEqual(refused('rate-limited'));
  await use((await auth.makePass(ada, 'link')).pass);
  await use(pass, newId(), '192.0.2.2');

  for (let n = WRONG_CODES_BURST_OF_ADDRESS; n < WRONG_CODES_BURST; n++)
    await expect(use(WRONG, newId(), `198.51.100.${n}`)).rejects.toEqual(refused('unauthorized'));
  const last = await auth.makePass(ada, 'code');
  await expect(use(last.pass, newId(), '203.0.113.1')).rejects.toEqual(refused('rate-limited'));
  clock.now += 6_000; // a tenth of a minute
  await use(last.pass, newId(), '203.0.113.1');
});

test('wrong passes of an address count as its sign-ins', async () => {
  const { use } = await signedUp();
  for (
    let n = 1;
    n < SIGN_INS_BURST_OF_ADDRESS;
    n++ // the sign-up was one
  )
    await expect(use(newId())).rejects.toEqual(refused('unauthorized'));
  await expect(use(newId())).rejects.toEqual(refused('rate-limited'));
});

test('a user makes a limited number of passes', async () => {
  const { auth, ada } = await signedUp();
  for (let n = 0; n < PASSES_BURST; n++) await auth.makePass(ada, n % 2 ? 'code' : 'link');
  await expect(auth.makePass(ada, 'link')).rejects.toEqual(refused('rate-limited'));
});

test('one device more than a user may have signs out the one that was used least recently', async () => {
  const { auth, store, clock, ada, use } = await signedUp();
  for (let n = 1; n < DEVICES_MAX; n++) {
    const [id, claimHash, tokenHash] = [newId(), newId(), newId()];
    store.devices.set(id, {
      id,
      user: ada.user.id,
      claimHash,
      tokenHash,
      createdAt: 1,
      seenAt: clock.now + n,
    });
  }
  const { pass } = await auth.makePass(ada, 'link');
  const { session } = await use(pass);
  expect(store.devices.size).toBe(DEVICES_MAX);
  expect(store.devices.has(session.device.id)).toBe(true);
  expect(store.devices.has(ada.device)).toBe(false);
});
