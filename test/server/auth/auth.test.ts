import { randomBytes, scryptSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type AuthOptions, createAuth } from '../../../server/auth/auth.ts';
import { createDeviceUse } from '../../../server/auth/deviceUse.ts';
import { createSignInLimits } from '../../../server/auth/signInLimits.ts';
import { createLogger } from '../../../server/base/logger.ts';
import { RefusedError } from '../../../server/base/refusal.ts';
import { HASHES_AT_ONCE, HASHES_WAITING } from '../../../server/base/serverLimits.ts';
import { Unavailable } from '../../../server/store/port.ts';
import {
  CLAIM_LIFETIME_MS,
  COOKIE_LIFETIME_S,
  CURRENT_PASSWORDS_PER_DAY_AND_DEVICE,
  DEVICES_MAX,
  RENAME_ATTEMPTS_PER_MINUTE,
  SIGN_INS_BURST_OF_ADDRESS,
  SIGN_INS_PER_MINUTE,
  WRONG_PASSWORDS_BURST_OF_ADDRESS,
} from '../../../shared/limits.ts';
import type { User } from '../../../shared/protocol/index.ts';
import { newId } from '../../support/api.ts';
import { fakeUsers } from './fakeUsers.ts';

const HOME = '192.0.2.1';

function setUp(changes: Partial<AuthOptions> = {}) {
  const store = fakeUsers();
  const clock = { now: 1_000_000 };
  const welcomed: string[] = [];
  const signedOut: string[] = [];
  const renamed: User[] = [];
  const auth = createAuth({
    store,
    now: () => clock.now,
    random: randomBytes,
    limits: createSignInLimits(() => clock.now),
    signUp: 'open',
    admit: async () => async () => {},
    deviceUse: createDeviceUse({ store, now: () => clock.now, logger: createLogger('silent') }),
    onUserCreated: async (user) => welcomed.push(user),
    onSignedOut: (device) => signedOut.push(device),
    onRenamed: async (user) => renamed.push(user),
    roleOf: async () => undefined,
    checkSuspended: async () => {},
    features: () => [],
    ...changes,
  });
  return { auth, store, clock, welcomed, signedOut, renamed };
}

/** Of the password `cheap`, with parameters that cost next to nothing. */
const CHEAP_HASH = `$scrypt$ln=4,r=8,p=1$${'A'.repeat(22)}$${scryptSync('cheap', Buffer.alloc(16), 32, { N: 16, r: 8, p: 1 }).toString('base64url')}`;

/** Users whose hash costs next to nothing. */
function withCheapPasswords(store: ReturnType<typeof fakeUsers>, names: string[]) {
  for (const name of names) {
    const id = newId();
    store.users.set(id, { id, name, nameKey: name, createdAt: 0, passwordHash: CHEAP_HASH });
  }
}

const HOUR_MS = 60 * 60 * 1_000;
const refused = (code: string) => expect.objectContaining({ name: 'RefusedError', code });

describe('signing up', () => {
  test('a free name creates a user and a device, and the token authenticates both', async () => {
    const { auth, store, welcomed } = setUp();
    const { session, token } = await auth.signIn({ name: ' Ada ', claim: newId() }, HOME);
    expect(session).toMatchObject({ user: { name: 'Ada' }, hasPassword: false, devices: 1 });
    expect(await auth.identify(token, HOME)).toEqual({
      device: session.device.id,
      user: session.user,
      hasPassword: false,
      hasRecoveryCode: false,
    });
    expect(welcomed).toEqual([session.user.id]);
    expect(JSON.stringify([...store.devices.values()])).not.toContain(token);
  });

  test('names that differ only in case or width are the same name', async () => {
    const { auth } = setUp();
    await auth.signIn({ name: 'Ada', claim: newId() }, HOME);
    await expect(auth.signIn({ name: 'ＡDA', claim: newId() }, HOME)).rejects.toEqual(refused('conflict'));
  });

  test.each([
    ['', 'invalid'],
    ['a\u0007', 'invalid'],
    ['\u200b', 'invalid'],
    ['Ada\u202e', 'invalid'],
    ['x'.repeat(41), 'too-large'],
  ])('the name %j is refused', async (name, code) => {
    await expect(setUp().auth.signIn({ name, claim: newId() }, HOME)).rejects.toEqual(refused(code));
  });

  test('whoever has a name that is not given any more still signs in by it', async () => {
    const { auth, store } = setUp();
    withCheapPasswords(store, ['ada\u2800']);
    const request = { name: '\u202eAda\u2800', password: 'cheap', claim: newId() };
    expect((await auth.signIn(request, HOME)).session.user.name).toBe('ada\u2800');
  });

  test.each([
    ['', 'invalid'],
    ['p'.repeat(201), 'too-large'],
  ])('the password %j is refused', async (password, code) => {
    const { auth, store } = setUp();
    await expect(auth.signIn({ name: 'Ada', password, claim: newId() }, HOME)).rejects.toEqual(refused(code));
    expect(store.users.size).toBe(0);
  });

  test('names of object properties such as `__proto__` are names like any other', async () => {
    const { auth } = setUp();
    for (const name of ['__proto__', 'constructor', 'toString']) {
      expect((await auth.signIn({ name, claim: newId() }, HOME)).session.user.name).toBe(name);
    }
  });
});

describe('a claim', () => {
  test('a retried sign-up whose answer was lost: the same user and device, a new token', async () => {
    const { auth, store, welcomed } = setUp();
    const request = { name: 'Ada', claim: newId() };
    const first = await auth.signIn(request, HOME);
    const again = await auth.signIn({ ...request, name: 'ADA' }, '198.51.100.7');
    expect(again.session).toEqual(first.session);
    expect(again.token).not.toBe(first.token);
    expect(await auth.identify(first.token, HOME)).toBeUndefined();
    expect(await auth.identify(again.token, HOME)).toBeDefined();
    expect([store.users.size, store.devices.size]).toEqual([1, 1]);
    expect(welcomed).toEqual([first.session.user.id, first.session.user.id]);
  });

  test('expires after a day', async () => {
    const { auth, clock } = setUp();
    const request = { name: 'Ada', claim: newId() };
    await auth.signIn(request, HOME);
    clock.now += CLAIM_LIFETIME_MS + 1;
    await expect(auth.signIn(request, HOME)).rejects.toEqual(refused('conflict'));
  });

  test('with another name is another claim', async () => {
    const { auth } = setUp();
    const claim = newId();
    const ada = await auth.signIn({ name: 'Ada', claim }, HOME);
    const bo = await auth.signIn({ name: 'Bo', claim }, HOME);
    expect(bo.session.user.id).not.toBe(ada.session.user.id);
  });

  test('used several times at once, on two processes, makes one user and one device', async () => {
    const { auth, store, clock } = setUp();
    const other = setUp({ store, now: () => clock.now }).auth;
    const request = { name: 'Ada', claim: newId() };
    const all = await Promise.all([auth, auth, other, other].map((node) => node.signIn(request, HOME)));
    expect(new Set(all.map(({ session }) => session.user.id + session.device.id)).size).toBe(1);
    expect([store.users.size, store.devices.size]).toEqual([1, 1]);
  });

  test('used several times at once with a password makes one device', async () => {
    const { auth, store } = setUp();
    await auth.signIn({ name: 'Ada', password: 'secret', claim: newId() }, HOME);
    const request = { name: 'Ada', password: 'secret', claim: newId() };
    await Promise.all([auth.signIn(request, HOME), auth.signIn(request, HOME)]);
    expect(store.devices.size).toBe(2);
  });

  test('if joining the lobby fails, the sign-up fails, and a retry with the claim joins it', async () => {
    let fails = true;
    const onUserCreated = async () => {
      if (fails) throw new Unavailable('the store is busy');
    };
    const { auth, store } = setUp({ onUserCreated });
    const request = { name: 'Ada', claim: newId() };
    await expect(auth.signIn(request, HOME)).rejects.toBeInstanceOf(Unavailable);
    fails = false;
    expect((await auth.signIn(request, HOME)).session.user.name).toBe('Ada');
    expect(store.users.size).toBe(1);
  });
});

describe('coming back', () => {
  test('with the password: the same user on another device', async () => {
    const { auth } = setUp();
    const first = await auth.signIn({ name: 'Ada', password: 'cafe\u0301', claim: newId() }, HOME);
    const second = await auth.signIn({ name: 'ada', password: 'caf\u00e9', claim: newId() }, HOME);
    expect(second.session).toMatchObject({ user: first.session.user, hasPassword: true, devices: 2 });
    expect(second.session.device.id).not.toBe(first.session.device.id);
  });

  test('with a wrong password, or if none is set: unauthorized; without a password: the name is taken', async () => {
    const { auth } = setUp();
    await auth.signIn({ name: 'Ada', password: 'right', claim: newId() }, HOME);
    await auth.signIn({ name: 'Bo', claim: newId() }, HOME);
    for (const name of ['Ada', 'Bo']) {
      const attempt = auth.signIn({ name, password: 'wrong', claim: newId() }, HOME);
      await expect(attempt).rejects.toEqual(refused('unauthorized'));
    }
    await expect(auth.signIn({ name: 'Ada', claim: newId() }, HOME)).rejects.toEqual(refused('conflict'));
  });
});

describe('a session', () => {
  test('after sign-out its token is invalid and its sockets are disconnected; other devices stay signed in', async () => {
    const { auth, signedOut } = setUp();
    const first = await auth.signIn({ name: 'Ada', password: 'p', claim: newId() }, HOME);
    const second = await auth.signIn({ name: 'Ada', password: 'p', claim: newId() }, HOME);
    await auth.signOut((await auth.identify(first.token, HOME))!);
    await expect(auth.identify(first.token, HOME)).rejects.toEqual(refused('unauthorized'));
    expect(signedOut).toEqual([first.session.device.id]);
    const identity = (await auth.identify(second.token, HOME))!;
    expect(await auth.session(identity)).toMatchObject({ devices: 1 });
  });

  test('a forged token authenticates nobody', async () => {
    const { auth } = setUp();
    for (const token of ['', 'x', '__proto__', randomBytes(32).toString('base64url'), 'a'.repeat(10_000)]) {
      expect(await auth.identify(token, HOME)).toBeUndefined();
    }
  });

  test('a password that is set later lets the user sign in; changing it needs the current one', async () => {
    const { auth } = setUp();
    const { token } = await auth.signIn({ name: 'Ada', claim: newId() }, HOME);
    const identity = (await auth.identify(token, HOME))!;
    await auth.setPassword(identity, { password: 'one' }, HOME);
    await expect(auth.setPassword(identity, { password: 'two' }, HOME)).rejects.toEqual(
      refused('unauthorized'),
    );
    await expect(auth.setPassword(identity, { password: 'two', current: 'no' }, HOME)).rejects.toEqual(
      refused('unauthorized'),
    );
    await auth.setPassword(identity, { password: 'two', current: 'one' }, HOME);
    expect(await auth.identify(token, HOME)).toMatchObject({ hasPassword: true });
    await auth.signIn({ name: 'Ada', password: 'two', claim: newId() }, HOME);
    await expect(auth.signIn({ name: 'Ada', password: 'one', claim: newId() }, HOME)).rejects.toEqual(
      refused('unauthorized'),
    );
  });
});

describe('devices', () => {
  async function adaOn(count: number) {
    const scene = setUp();
    withCheapPasswords(scene.store, ['ada', 'bo']);
    const enter = (name = 'ada', address = HOME) =>
      scene.auth.signIn({ name, password: 'cheap', claim: newId() }, address);
    const tokens: string[] = [];
    for (let i = 0; i < count; i++) {
      tokens.push((await enter()).token);
      scene.clock.now += 1_000;
    }
    const identityOf = async (token: string) => (await scene.auth.identify(token, HOME))!;
    return { ...scene, enter, tokens, identityOf };
  }
  const SIGNED_OUT = expect.objectContaining({ code: 'unauthorized', reason: 'signed-out' });

  test('are listed, the newest first, and the one that asks is `current`', async () => {
    const { auth, tokens, identityOf } = await adaOn(2);
    const identity = await identityOf(tokens[0]!);
    expect(await auth.devices(identity)).toEqual([
      expect.objectContaining({ current: false, createdAt: 1_001_000, seenAt: 1_001_000 }),
      { id: identity.device, current: true, createdAt: 1_000_000, seenAt: 1_000_000 },
    ]);
  });

  test('can be signed out by another device of the same user: its token says so, and its sockets are ended', async () => {
    const { auth, tokens, identityOf, signedOut } = await adaOn(2);
    const [phone, laptop] = [await identityOf(tokens[0]!), await identityOf(tokens[1]!)];
    await auth.removeDevice(laptop, phone.device);
    expect(signedOut).toEqual([phone.device]);
    await expect(auth.identify(tokens[0]!, HOME)).rejects.toEqual(SIGNED_OUT);
    expect(await auth.devices(laptop)).toHaveLength(1);
    await expect(auth.removeDevice(laptop, phone.device)).rejects.toEqual(refused('not-found'));
  });

  test("another user's device and a device that does not exist are `not-found` alike", async () => {
    const { auth, enter, tokens, identityOf, signedOut } = await adaOn(1);
    const bo = await identityOf((await enter('bo')).token);
    const ada = await identityOf(tokens[0]!);
    for (const device of [ada.device, newId(), '', '__proto__'])
      await expect(auth.removeDevice(bo, device)).rejects.toEqual(refused('not-found'));
    expect([await identityOf(tokens[0]!), signedOut]).toEqual([ada, []]);
  });

  test('are signed out by a change of the password, all but the one that changes it; a wrong current password signs out none', async () => {
    const { auth, tokens, identityOf, signedOut } = await adaOn(3);
    const own = await identityOf(tokens[1]!);
    await auth.setPassword(own, { password: 'new', current: 'wrong' }, HOME).catch(() => {});
    expect(signedOut).toEqual([]);
    await auth.setPassword(own, { password: 'new', current: 'cheap' }, HOME);
    expect(signedOut).toHaveLength(2);
    expect(await auth.identify(tokens[1]!, HOME)).toMatchObject({ device: own.device });
    for (const token of [tokens[0]!, tokens[2]!])
      await expect(auth.identify(token, HOME)).rejects.toEqual(SIGNED_OUT);
  });

  test('a sign-out is told from a session that is not known: a forged, a replaced and an expired token have no reason', async () => {
    const { auth, clock, tokens, identityOf } = await adaOn(1);
    await auth.signOut(await identityOf(tokens[0]!));
    await expect(auth.identify(tokens[0]!, HOME)).rejects.toEqual(SIGNED_OUT);
    expect(await auth.identify(randomBytes(32).toString('base64url'), HOME)).toBeUndefined();
    const request = { name: 'Cy', claim: newId() };
    const replaced = await auth.signIn(request, HOME);
    const { token } = await auth.signIn(request, HOME);
    expect(await auth.identify(replaced.token, HOME)).toBeUndefined();
    clock.now += COOKIE_LIFETIME_S * 1_000;
    expect(await auth.identify(token, HOME)).toBeUndefined();
  });

  test('of one user are at most 100: one more signs out the one that was used least recently', async () => {
    const { auth, clock, enter, store, tokens, identityOf, signedOut } = await adaOn(2);
    clock.now += 2 * 24 * 60 * 60 * 1_000;
    const first = (await identityOf(tokens[0]!)).device;
    await store.devicesSeen([first], clock.now);
    const second = (await identityOf(tokens[1]!)).device;
    for (let i = 0; i < DEVICES_MAX - 2; i++) await enter('ada', `10.0.0.${i}`);
    expect(signedOut).toEqual([]);
    clock.now += 60 * 60 * 1_000; // the limit of new devices a day
    const { session } = await enter();
    expect(signedOut).toEqual([second]);
    expect(await store.countDevices(session.user.id)).toBe(DEVICES_MAX);
    expect(await auth.identify(tokens[0]!, HOME)).toBeDefined();
  });
});

describe('with `as`', () => {
  const HERS = newId();

  test('O4 a user who is missing from the database is not created again: the name stays free', async () => {
    const { auth, store } = setUp();
    for (const password of [undefined, 'secret'])
      await expect(
        auth.signIn({ name: 'Ada', claim: newId(), as: HERS, ...(password ? { password } : {}) }, HOME),
      ).rejects.toEqual(refused('not-found'));
    expect([store.users.size, store.devices.size]).toEqual([0, 0]);
    await auth.signIn({ name: 'Ada', claim: newId() }, HOME);
  });

  test('the claim renews the session of that user, and of no other', async () => {
    const { auth, store } = setUp();
    const request = { name: 'Ada', claim: newId() };
    const { session } = await auth.signIn(request, HOME);
    const { user } = (await auth.signIn({ name: 'Bo', claim: newId() }, HOME)).session;
    expect((await auth.signIn({ ...request, as: session.user.id }, HOME)).session).toEqual(session);
    await expect(auth.signIn({ ...request, as: user.id }, HOME)).rejects.toEqual(refused('unauthorized'));
    await expect(auth.signIn({ ...request, as: HERS }, HOME)).rejects.toEqual(refused('not-found'));
    expect(store.devices.size).toBe(2);
  });

  test('the password signs that user in, only with their own name; without a password nobody is signed in', async () => {
    const { auth } = setUp();
    const { user } = (await auth.signIn({ name: 'Ada', password: 'secret', claim: newId() }, HOME)).session;
    await auth.signIn({ name: 'Bo', password: 'secret', claim: newId() }, HOME);
    const attempt = (name: string, password?: string) =>
      auth.signIn({ name, claim: newId(), as: user.id, ...(password ? { password } : {}) }, HOME);
    expect((await attempt('ada', 'secret')).session).toMatchObject({ user, devices: 2 });
    await expect(attempt('Bo', 'secret')).rejects.toEqual(refused('unauthorized'));
    await expect(attempt('Ada', 'wrong')).rejects.toEqual(refused('unauthorized'));
    await expect(attempt('Ada')).rejects.toEqual(refused('unauthorized'));
  });
});

describe('limits', () => {
  const codeOf = async (attempt: Promise<unknown>) =>
    attempt.then(
      () => 'ok',
      (error: unknown) => (error instanceof RefusedError ? error.code : String(error)),
    );

  test('ten sign-ins per minute, per address and name', async () => {
    const { auth, clock } = setUp();
    const attempt = (name: string, address = HOME) => codeOf(auth.signIn({ name, claim: newId() }, address));
    const codes = [];
    for (let i = 0; i <= SIGN_INS_PER_MINUTE; i++) codes.push(await attempt('Ada'));
    expect(codes).toEqual(['ok', ...Array(SIGN_INS_PER_MINUTE - 1).fill('conflict'), 'rate-limited']);
    expect(await attempt('Bo')).toBe('ok');
    expect(await attempt('Ada', '192.0.2.2')).toBe('conflict');
    clock.now += 60_000 / SIGN_INS_PER_MINUTE;
    expect(await attempt('Ada')).toBe('conflict');
  });

  test('many people behind one address can sign up at once, and sign in every morning', async () => {
    const { auth } = setUp();
    for (let i = 0; i < 100; i++) {
      expect(await codeOf(auth.signIn({ name: `nurse ${i}`, claim: newId() }, HOME))).toBe('ok');
    }
  });

  test('after a restore, many people behind one address may sign in with `as`; password guesses count with `as` too', async () => {
    const { auth } = setUp();
    const ask = (i: number, extra: object) =>
      codeOf(auth.signIn({ name: `nurse ${i}`, claim: newId(), as: newId(), ...extra }, HOME));
    for (let i = 0; i < 2 * SIGN_INS_BURST_OF_ADDRESS; i++) expect(await ask(i, {})).toBe('not-found');
    const codes = [];
    for (let i = 0; i <= SIGN_INS_BURST_OF_ADDRESS; i++) codes.push(await ask(i, { password: 'guess' }));
    expect(codes.filter((code) => code === 'rate-limited')).toHaveLength(1);
  });

  const names = (count: number) => Array.from({ length: count }, (_, i) => `user ${i}`);

  test('somebody signs in after at most a few hashes of an address that floods the queue with guesses', async () => {
    const { auth, store } = setUp();
    withCheapPasswords(store, ['ada', ...names(90)]);
    const order: string[] = [];
    const enter = async (name: string, password: string, address: string) => {
      const code = await codeOf(auth.signIn({ name, password, claim: newId() }, address));
      order.push(`${name} ${code}`);
    };
    const flood = names(90).map((name) => enter(name, 'guess', '192.0.2.66'));
    await Promise.all([...flood, enter('ada', 'cheap', HOME)]);
    expect(order.indexOf('ada ok')).toBeLessThan(6);
    expect(order.filter((line) => line.endsWith('unauthorized'))).toHaveLength(90);
  });

  test('what the queue does not hold is `unavailable`, and such a guess does not count', async () => {
    const limits = createSignInLimits(() => 0);
    const { auth, store } = setUp({ limits });
    const room = HASHES_AT_ONCE + HASHES_WAITING;
    withCheapPasswords(store, names(room + 20));
    const guess = (name: string) => codeOf(auth.signIn({ name, password: 'guess', claim: newId() }, HOME));
    const codes = await Promise.all(names(room + 20).map(guess));
    expect(codes).toEqual([...Array(room).fill('unauthorized'), ...Array(20).fill('unavailable')]);
    const { id } = (await store.byNameKey(`user ${room}`))!;
    for (let i = 0; i < WRONG_PASSWORDS_BURST_OF_ADDRESS; i++) limits.guess(id, HOME);
    expect(() => limits.guess(id, HOME)).toThrow(refused('rate-limited'));
  });

  test('what the queue did not hold is repeated under its claim, and counts once against the address', async () => {
    const limits = createSignInLimits(() => 0);
    const { auth, store } = setUp({ limits });
    const people = names(HASHES_AT_ONCE + HASHES_WAITING + 20).map((name) => ({ name, claim: newId() }));
    withCheapPasswords(
      store,
      people.map(({ name }) => name),
    );
    const enter = (person: { name: string; claim: string }) =>
      codeOf(auth.signIn({ ...person, password: 'guess' }, HOME));
    const codes = await Promise.all(people.map(enter));
    for (const person of people.filter((_, i) => codes[i] === 'unavailable')) await enter(person);
    const left = SIGN_INS_BURST_OF_ADDRESS - people.length;
    for (let i = 0; i < left; i++) limits.attempt(HOME, `other ${i}`, `claim ${i}`);
    expect(() => limits.attempt(HOME, 'one more', 'claim')).toThrow(refused('rate-limited'));
  });

  test('changing the password: 20 wrong guesses a day on a device, then `forbidden`; guesses at the sign-in do not block it', async () => {
    const { auth, store } = setUp();
    withCheapPasswords(store, ['ada']);
    const enter = async () =>
      (await auth.identify(
        (
          await auth.signIn({ name: 'ada', password: 'cheap', claim: newId() }, HOME)
        ).token,
        HOME,
      ))!;
    const [thief, owner] = [await enter(), await enter()];
    const change = (device: typeof owner, current?: string) =>
      codeOf(auth.setPassword(device, { password: 'new', ...(current && { current }) }, HOME));
    for (let i = 0; i < 30; i++) expect(await change(thief)).toBe('unauthorized'); // no guess
    for (let i = 0; i < CURRENT_PASSWORDS_PER_DAY_AND_DEVICE; i++)
      expect(await change(thief, `guess ${i}`)).toBe('unauthorized');
    expect(await change(thief, 'cheap')).toBe('forbidden');
    for (let i = 0; i < 200; i++)
      await codeOf(auth.signIn({ name: 'ada', password: 'guess', claim: newId() }, `10.0.0.${i}`));
    expect(await change(owner, 'cheap')).toBe('ok');
  });
});

describe('with sign-up closed', () => {
  test('a new name is `forbidden` with a sentence that says what to do, with and without a password', async () => {
    const { auth, store } = setUp({ signUp: 'closed' });
    for (const password of [undefined, 'secret']) {
      const attempt = auth.signIn({ name: 'Ada', claim: newId(), ...(password && { password }) }, HOME);
      await expect(attempt).rejects.toMatchObject({
        code: 'forbidden',
        reason: 'sign-up-closed',
        message: expect.stringMatching(/Check the spelling/),
      });
    }
    expect([store.users.size, store.devices.size]).toEqual([0, 0]);
  });

  test('users sign in, and the repeat of a claim that made its user before works', async () => {
    const open = setUp();
    const request = { name: 'Ada', password: 'secret', claim: newId() };
    const { session } = await open.auth.signIn(request, HOME);
    const { auth } = setUp({ signUp: 'closed', store: open.store });
    expect((await auth.signIn(request, HOME)).session).toEqual(session);
    const again = await auth.signIn({ ...request, claim: newId() }, HOME);
    expect(again.session).toMatchObject({ user: session.user, devices: 2 });
    const taken = auth.signIn({ name: 'ada', claim: newId() }, HOME);
    await expect(taken).rejects.toEqual(refused('conflict'));
  });
});

describe('another name', () => {
  async function ada() {
    const scene = setUp();
    const { token } = await scene.auth.signIn({ name: 'Ada', claim: newId() }, HOME);
    return { ...scene, identity: (await scene.auth.identify(token, HOME))! };
  }

  test('gives the user the next revision, and calls `onRenamed`', async () => {
    const { auth, renamed, identity, store } = await ada();
    const user = await auth.rename(identity, '  Ada Byron ');
    expect(user).toMatchObject({ id: identity.user.id, name: 'Ada Byron', rev: 1 });
    expect(renamed).toEqual([user]);
    expect(await store.byNameKey('ada')).toBeUndefined();
    await expect(auth.rename(identity, `A${'\u0335'.repeat(35)}`)).rejects.toEqual(refused('invalid'));
  });

  test('the current name changes nothing and does not count; other capitals are a change', async () => {
    const { auth, renamed, identity } = await ada();
    for (let i = 0; i < 9; i++) await auth.rename(identity, 'Ada');
    expect(renamed).toEqual([]);
    expect(await auth.rename(identity, 'ADA')).toMatchObject({ name: 'ADA', rev: 1 });
  });

  test('who tries one taken name after the other has ten attempts a minute', async () => {
    const { auth, clock, identity } = await ada();
    await auth.signIn({ name: 'Bob', claim: newId() }, HOME);
    for (let i = 0; i < RENAME_ATTEMPTS_PER_MINUTE; i++)
      await expect(auth.rename(identity, 'bob')).rejects.toEqual(refused('conflict'));
    await expect(auth.rename(identity, 'bob')).rejects.toEqual(refused('rate-limited'));
    clock.now += 60_000 / RENAME_ATTEMPTS_PER_MINUTE;
    await auth.rename(identity, 'Carl');
  });

  test('a taken name is a conflict and does not count; an invalid one says why; the fourth rename of a day is forbidden', async () => {
    const { auth, clock, identity } = await ada();
    await auth.signIn({ name: 'Bob', claim: newId() }, HOME);
    for (let i = 0; i < 4; i++)
      await expect(auth.rename(identity, 'bob')).rejects.toEqual(refused('conflict'));
    await expect(auth.rename(identity, ' ')).rejects.toEqual(refused('invalid'));
    await expect(auth.rename(identity, 'x'.repeat(41))).rejects.toEqual(refused('too-large'));
    for (const name of ['A', 'B', 'C']) await auth.rename(identity, name);
    clock.now += 8 * HOUR_MS;
    await expect(auth.rename(identity, 'D')).rejects.toMatchObject({
      code: 'forbidden',
      message: 'A name can be changed 3 times a day: again in 16 hours.',
      retryAfter: 16 * HOUR_MS,
    });
    clock.now += 15.5 * HOUR_MS;
    await expect(auth.rename(identity, 'D')).rejects.toThrow('again in an hour');
    clock.now += 0.5 * HOUR_MS;
    await auth.rename(identity, 'D');
  });
});
