/** Keepers let people back in that have lost every device. */
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { createAuth, type Identity } from '../../../server/auth/auth.ts';
import { createDeviceUse } from '../../../server/auth/deviceUse.ts';
import { createKeepers, type Keepers } from '../../../server/auth/keepers.ts';
import { createSignInLimits } from '../../../server/auth/signInLimits.ts';
import type { AuditDetails, AuditEvent } from '../../../server/base/audit.ts';
import { createLogger } from '../../../server/base/logger.ts';
import { KEEPERS_CACHED_MS } from '../../../server/base/serverLimits.ts';
import {
  COME_BACK_LIFETIME_MS,
  COME_BACKS_BURST_OF_ADDRESS,
  COME_BACKS_PER_HOUR_AND_ADDRESS,
  COME_BACKS_WAITING,
  COME_BACKS_WAITING_OF_USER,
  PASS_LIFETIME_MS,
} from '../../../shared/limits.ts';
import { MemoryData } from '../../contract/memory/data.ts';
import { keepersIn } from '../../contract/memory/keepers.ts';
import { usersIn } from '../../contract/memory/users.ts';
import { newId } from '../../support/api.ts';

const AWAY = '198.51.100.1';

/** Kim is a keeper, who signed up first, and Ada has lost her phone. */
async function ward() {
  const data = new MemoryData();
  const atOnce = async <T>(work: () => T) => work();
  const [users, store] = [usersIn(data, atOnce), keepersIn(data, atOnce)];
  /** `setBack`: by how much the wall clock was set back. */
  const clock = { now: 1_000_000, setBack: 0 };
  const now = () => clock.now;
  const signedOut: string[] = [];
  const onSignedOut = (device: string) => void signedOut.push(device);
  const audited: [AuditEvent, AuditDetails | undefined][] = [];
  const limits = createSignInLimits(now);
  const audit = { record: (...line: [AuditEvent, AuditDetails?]) => void audited.push([line[0], line[1]]) };
  const keepers = createKeepers({
    store,
    users,
    limits,
    now,
    ticks: () => clock.now + clock.setBack,
    random: randomBytes,
    onSignedOut,
    audit,
  });
  const auth = createAuth({
    store: users,
    now,
    random: randomBytes,
    limits,
    signUp: 'open',
    admit: async () => async () => {},
    deviceUse: createDeviceUse({ store: users, now, logger: createLogger('silent') }),
    onUserCreated: async () => {},
    onSignedOut,
    onRenamed: async () => {},
    roleOf: keepers.roleOf,
    checkSuspended: async () => {},
    features: () => [],
  });
  const signUp = async (name: string): Promise<Identity> => {
    clock.now++;
    const { token } = await auth.signIn({ name, claim: newId() }, '192.0.2.1');
    return (await auth.identify(token, '192.0.2.1'))!;
  };
  const [kim, ada] = [await signUp('Kim'), await signUp('Ada')];
  const comeIn = (pass: string) => auth.signInByPass({ pass, claim: newId() }, AWAY);
  return { data, users, store, clock, signedOut, audited, keepers, auth, signUp, kim, ada, comeIn };
}

const idsOf = async (keepers: Keepers, keeper: Identity) =>
  (await keepers.requests(keeper)).map(({ id }) => id) as [string, string];

const refused = (code: string) => expect.objectContaining({ name: 'RefusedError', code });

test('the first user of a server without keepers may become one, and nobody else', async () => {
  const { keepers, auth, clock, audited, kim, ada, signUp } = await ward();
  expect((await auth.session(kim)).role).toBe('first');
  expect((await auth.session(ada)).role).toBeUndefined();
  await expect(keepers.become(ada)).rejects.toEqual(refused('forbidden'));
  await keepers.become(kim);
  await keepers.become(kim);
  expect((await auth.session(kim)).role).toBe('keeper');
  expect(audited).toEqual([['keeper-made', { user: kim.user.id, device: kim.device }]]);
  const bo = await signUp('Bo');
  for (const one of [ada, bo]) await expect(keepers.become(one)).rejects.toEqual(refused('forbidden'));
  clock.now += KEEPERS_CACHED_MS + 1;
  expect((await auth.session(kim)).role).toBe('keeper');
});

test('where there are keepers, the first user is asked nothing; a keeper made by the command is one within seconds', async () => {
  const { store, clock, keepers, kim, ada } = await ward();
  expect(await keepers.roleOf(kim.user.id)).toBe('first');
  await store.add(ada.user.id, 1);
  await expect(keepers.become(kim)).rejects.toEqual(refused('forbidden'));
  clock.now += KEEPERS_CACHED_MS + 1;
  expect([await keepers.roleOf(kim.user.id), await keepers.roleOf(ada.user.id)]).toEqual([
    undefined,
    'keeper',
  ]);
});

test('a keeper made by the command is one within seconds also where the wall clock is set back meanwhile', async () => {
  const { store, clock, keepers, kim, ada } = await ward();
  expect(await keepers.roleOf(kim.user.id)).toBe('first');
  await store.add(ada.user.id, 1);
  clock.setBack += KEEPERS_CACHED_MS;
  clock.now += 1;
  expect(await keepers.roleOf(ada.user.id)).toBe('keeper');
});

test('a person comes back: asks, is seen by a keeper with the same number, and is let in once', async () => {
  const { data, clock, keepers, audited, signedOut, kim, ada, comeIn } = await ward();
  await keepers.become(kim);
  const { request, number, expiresAt } = await keepers.ask(' ADA ', AWAY);
  expect(number).toMatch(/^\d{4}$/);
  expect(expiresAt).toBe(clock.now + COME_BACK_LIFETIME_MS);
  expect(JSON.stringify([...data.requests])).not.toContain(request);
  expect(await keepers.stateOf(request, AWAY)).toBe('waiting');
  await expect(comeIn(request)).rejects.toEqual(refused('unauthorized'));

  const [seen, ...others] = await keepers.requests(kim);
  expect(others).toEqual([]);
  expect(seen).toMatchObject({ user: ada.user, number, expiresAt });
  expect(JSON.stringify(seen)).not.toContain(request);
  await keepers.decide(kim, seen!.id, { approve: true });
  expect(await keepers.requests(kim)).toEqual([]);
  expect(await keepers.stateOf(request, AWAY)).toBe('approved');
  const { session } = await comeIn(request);
  expect(session).toMatchObject({ user: ada.user, devices: 2 });
  await expect(comeIn(request)).rejects.toEqual(refused('unauthorized'));
  expect(signedOut).toEqual([]);
  expect(audited.slice(1)).toEqual([
    ['come-back-asked', { user: ada.user.id, name: 'ada', address: AWAY }],
    ['come-back-approved', { user: ada.user.id, device: kim.device }],
  ]);
});

test('old devices are signed out if wanted, also a second time where that was interrupted', async () => {
  const { users, keepers, signedOut, kim, ada, comeIn } = await ward();
  await keepers.become(kim);
  const { request } = await keepers.ask('Ada', AWAY);
  const [id] = await idsOf(keepers, kim);
  const { removeDevice } = users;
  users.removeDevice = async () => {
    throw new Error('the process is killed');
  };
  const decision = { approve: true, signOutOthers: true };
  await expect(keepers.decide(kim, id, decision)).rejects.toThrow('killed');
  await expect(comeIn(request)).rejects.toEqual(refused('unauthorized'));
  users.removeDevice = removeDevice;
  await keepers.decide(kim, id, decision);
  expect(signedOut).toEqual([ada.device]);
  expect((await comeIn(request)).session).toMatchObject({ user: ada.user, devices: 1 });
});

test('a stranger is refused, and the refusal holds', async () => {
  const { keepers, audited, kim, ada, comeIn } = await ward();
  await keepers.become(kim);
  const { request } = await keepers.ask('Ada', AWAY);
  const [id] = await idsOf(keepers, kim);
  await keepers.decide(kim, id, { approve: false, signOutOthers: true });
  expect(await keepers.stateOf(request, AWAY)).toBe('refused');
  await expect(keepers.decide(kim, id, { approve: true })).rejects.toEqual(refused('not-found'));
  await expect(comeIn(request)).rejects.toEqual(refused('unauthorized'));
  expect(audited.at(-1)).toEqual(['come-back-refused', { user: ada.user.id, device: kim.device }]);
});

test('a request expires, and so does an approval that nobody uses', async () => {
  const { clock, keepers, kim, comeIn } = await ward();
  await keepers.become(kim);
  const [first, second] = [await keepers.ask('Ada', AWAY), await keepers.ask('Ada', AWAY)];
  expect(first.number).not.toBe(second.number);
  const [id, late] = await idsOf(keepers, kim);
  await keepers.decide(kim, id, { approve: true });
  clock.now += PASS_LIFETIME_MS;
  for (const { request } of [first, second])
    await expect(comeIn(request)).rejects.toEqual(refused('unauthorized'));
  clock.now = second.expiresAt;
  expect(await keepers.requests(kim)).toEqual([]);
  await expect(keepers.decide(kim, late, { approve: true })).rejects.toEqual(refused('not-found'));
  await expect(keepers.stateOf(second.request, AWAY)).rejects.toEqual(refused('not-found'));
});

test('only a keeper sees and decides requests; an approval ends with the device of the keeper', async () => {
  const { auth, keepers, kim, ada, comeIn } = await ward();
  await expect(keepers.ask('Ada', AWAY)).rejects.toEqual(
    expect.objectContaining({ code: 'forbidden', reason: 'no-keeper' }),
  );
  await keepers.become(kim);
  const { request } = await keepers.ask('Ada', AWAY);
  const [id] = await idsOf(keepers, kim);
  await expect(keepers.requests(ada)).rejects.toEqual(refused('forbidden'));
  await expect(keepers.decide(ada, id, { approve: true })).rejects.toEqual(refused('forbidden'));
  await keepers.decide(kim, id, { approve: true });
  await auth.signOut(kim);
  await expect(comeIn(request)).rejects.toEqual(refused('unauthorized'));
});

test('requests are few: for an address, for a name, and in all; refused ones are in the audit log', async () => {
  const { clock, keepers, audited, kim, signUp } = await ward();
  await keepers.become(kim);
  await expect(keepers.ask('Nobody', AWAY)).rejects.toEqual(refused('not-found'));
  await expect(keepers.ask('\u0000', AWAY)).rejects.toEqual(refused('invalid'));
  for (let n = 1; n < COME_BACKS_BURST_OF_ADDRESS; n++) await keepers.ask('Ada', AWAY);
  await expect(keepers.ask('Kim', AWAY)).rejects.toEqual(refused('forbidden'));
  expect(audited.at(-1)).toEqual(['come-back-asked', { name: 'kim', address: AWAY, code: 'forbidden' }]);
  for (let n = COME_BACKS_BURST_OF_ADDRESS; n <= COME_BACKS_WAITING_OF_USER; n++)
    await keepers.ask('Ada', `203.0.113.${n}`);
  await expect(keepers.ask('Ada', '203.0.113.99')).rejects.toEqual(refused('forbidden'));
  for (let n = COME_BACKS_WAITING_OF_USER; n < COME_BACKS_WAITING; n++) {
    const { user } = await signUp(`Patient ${n}`);
    await keepers.ask(user.name, `192.0.2.${n}`);
  }
  await expect(keepers.ask('Kim', '203.0.113.98')).rejects.toEqual(refused('forbidden'));
  clock.now += 3_600_000 / COME_BACKS_PER_HOUR_AND_ADDRESS + COME_BACK_LIFETIME_MS;
  await keepers.ask('Kim', AWAY);
});
