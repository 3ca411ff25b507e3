/** Sessions that the processes tell each other of. */
import { expect, test } from 'vitest';
import { createOperatorGuard, type OperatorGuard } from '../../../server/operators/operatorGuard.ts';

/** Of one process. `asked`: the guard of another one, which it asks. */
function guardWith(passwordHash: string, asked?: () => OperatorGuard): OperatorGuard {
  const guard = createOperatorGuard({
    passwordHash,
    isPassword: async (password) => password === 'right',
    isAlone: false,
    async ask(hash) {
      const known = asked?.().find(hash);
      if (known) guard.learn(known);
    },
    onLimit: () => {},
    audit: { record: () => {}, flush: () => {} },
    now: () => 1,
    ticks: () => 1,
  });
  return guard;
}

test.each([
  ['another setting', 'refused', 'of a new password'],
  ['the same setting', 'in', 'of the password'],
] as const)(
  'a new password ends all sessions: one of a process with %s, told or asked for, is %s',
  async (_, tag, setting) => {
    const old = guardWith('of the password');
    const made = await old.admit({ password: 'right' }, 'address');
    if (made.tag !== 'in') throw new Error(made.message);
    const sessionId = made.secret;

    const told = guardWith(setting);
    for (const session of [made.session, ...old.all()]) told.learn(session);
    const asking = guardWith(setting, () => old);
    for (const guard of [told, asking]) expect((await guard.admit({ sessionId }, 'address')).tag).toBe(tag);
  },
);

test('what a process of an earlier version tells has no setting, and is ignored', async () => {
  const guard = guardWith('of the password');
  guard.learn({ hash: 'x', until: 2 } as Parameters<typeof guard.learn>[0]);
  expect(guard.all()).toEqual([]);
});
