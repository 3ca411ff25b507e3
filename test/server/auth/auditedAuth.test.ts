import { expect, test } from 'vitest';
import { auditedAuth } from '../../../server/auth/auditedAuth.ts';
import type { Auth } from '../../../server/auth/auth.ts';
import { RefusedError } from '../../../server/base/refusal.ts';
import { newId } from '../../support/api.ts';

const user = { id: newId(), name: 'Ada', rev: 0 };
const [device, other] = [newId(), newId()];
const identity = { user, device, hasPassword: true, hasRecoveryCode: false };

test('what took place and what was refused is recorded, with the user, the device and the address', async () => {
  let refusal: RefusedError | undefined;
  const lines: unknown[] = [];
  const answer = async <T>(result: T): Promise<T> => {
    if (refusal) throw refusal;
    return result;
  };
  const session = { user, device: { id: device }, hasPassword: true, devices: 1, features: [] };
  const plain: Partial<Auth> = {
    signIn: ({ password, recovery }) =>
      answer({ session, token: 't', isNew: (password ?? recovery) === undefined }),
    signInByPass: () => answer({ session, token: 't' }),
    makeRecoveryCode: () => answer('code'),
    makePass: () => answer({ pass: 'K7Q-M4P', expiresAt: 1 }),
    signOut: () => answer(undefined),
    setPassword: () => answer(undefined),
    removeDevice: () => answer(undefined),
  };
  const auth = auditedAuth(plain as Auth, { record: (...line) => void lines.push(line) });
  const everything = async () => {
    await auth.signIn({ name: ' ADA ', claim: newId() }, '192.0.2.1').catch(() => {});
    await auth.signIn({ name: 'Ada', claim: newId(), password: 'p' }, '2001:db8::1').catch(() => {});
    await auth.signIn({ name: 'Ada', claim: newId(), recovery: newId() }, '192.0.2.1').catch(() => {});
    await auth.makeRecoveryCode(identity).catch(() => {});
    await auth.makePass(identity, 'code').catch(() => {});
    await auth.signInByPass({ pass: 'K7Q-M4P', claim: newId() }, '192.0.2.1').catch(() => {});
    await auth.signOut(identity).catch(() => {});
    await auth.setPassword(identity, { password: 'p' }, '192.0.2.1').catch(() => {});
    await auth.removeDevice(identity, other).catch(() => {});
    return lines.splice(0);
  };
  expect(await everything()).toEqual([
    ['sign-up', { name: 'ada', user: user.id, device, address: '192.0.2.1' }],
    ['sign-in', { name: 'ada', user: user.id, device, address: '2001:db8:0:0::/64' }],
    ['recovery-used', { name: 'ada', user: user.id, device, address: '192.0.2.1' }],
    ['recovery-made', { user: user.id, device }],
    ['pass-made', { user: user.id, device }],
    ['pass-used', { user: user.id, device, address: '192.0.2.1' }],
    ['sign-out', { user: user.id, device }],
    ['password', { user: user.id, device, address: '192.0.2.1' }],
    ['device-removed', { user: user.id, device: other }],
  ]);
  refusal = new RefusedError('rate-limited', 'wait');
  expect(await everything()).toEqual([
    ['sign-in', { name: 'ada', address: '192.0.2.1', code: 'rate-limited' }],
    ['sign-in', { name: 'ada', address: '2001:db8:0:0::/64', code: 'rate-limited' }],
    ['recovery-used', { name: 'ada', address: '192.0.2.1', code: 'rate-limited' }],
    ['recovery-made', { user: user.id, device, code: 'rate-limited' }],
    ['pass-made', { user: user.id, device, code: 'rate-limited' }],
    ['pass-used', { address: '192.0.2.1', code: 'rate-limited' }],
    ['password', { user: user.id, device, address: '192.0.2.1', code: 'rate-limited' }],
    ['device-removed', { user: user.id, device: other, code: 'rate-limited' }],
  ]);

  await auth
    .signIn({ name: `a${'\u0316\u0300'.repeat(4_000)}`, claim: newId() }, '192.0.2.1')
    .catch(() => {});
  expect(lines).toEqual([
    ['sign-in', { name: undefined, address: '192.0.2.1', code: 'rate-limited' }], // of no name: that would cost 70 ms
  ]);
});
