import { expect, test } from 'vitest';
import { createLock } from '../../../web/outbox/lock.ts';
import { createFakeClock } from '../db/fakeClock.ts';
import { until } from '../db/until.ts';
import { createLocks } from '../state/browser.ts';

test('S5 a holder that shows no work for ten seconds loses the lock; one that works keeps it', async () => {
  const locks = createLocks();
  const clock = createFakeClock();
  const lockOf = () => createLock(locks.forTab().manager, 'drain', { clock, stuckMs: 10_000 });
  const [first, second] = [lockOf(), lockOf()];
  const said: string[] = [];
  first.lost(() => said.push('first lost it'));
  second.lost(() => said.push('second lost it'));
  first.take(() => said.push('first has it'));
  await until('held', () => said.length === 1);
  second.take(() => said.push('second has it'));
  for (let i = 0; i < 5; i++) {
    clock.pass(9_999);
    second.heard();
  }
  await until('asked', () => true);
  expect(said).toEqual(['first has it']);
  clock.pass(10_000);
  await until('stolen', () => said.length === 3);
  expect(said.toSorted()).toEqual(['first has it', 'first lost it', 'second has it']);
  first.take(() => said.push('first has it again'));
  second.release();
  await until('handed back', () => said.length === 4);
  first.close();
  second.close();
  expect(clock.isSet()).toBe(false);
});
