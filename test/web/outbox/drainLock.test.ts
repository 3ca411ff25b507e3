import { expect, test } from 'vitest';
import { createLock } from '../../../web/outbox/drainLock.ts';
import { createFakeClock } from '../db/fakeClock.ts';
import { turns, until } from '../db/until.ts';
import { createLocks } from '../state/browser.ts';

test('S5 a holder without a heartbeat for ten seconds loses the lock; one with heartbeats keeps it', async () => {
  const locks = createLocks();
  const clock = createFakeClock();
  const lockOf = () => createLock(locks.forTab().manager, 'drain', { clock, stuckMs: 10_000 });
  const [first, second] = [lockOf(), lockOf()];
  const said: string[] = [];
  first.onLost(() => said.push('first lost it'));
  second.onLost(() => said.push('second lost it'));
  first.acquire(() => said.push('first has it'));
  await until('held', () => said.length === 1);
  second.acquire(() => said.push('second has it'));
  for (let i = 0; i < 5; i++) {
    clock.pass(9_999);
    second.extendWait();
  }
  await until('asked', () => true);
  expect(said).toEqual(['first has it']);
  clock.pass(10_000);
  await until('stolen', () => said.length === 3);
  expect(said.toSorted()).toEqual(['first has it', 'first lost it', 'second has it']);
  first.acquire(() => said.push('first has it again'));
  second.release();
  await until('handed back', () => said.length === 4);
  first.close();
  second.close();
  expect(clock.isSet()).toBe(false);
});

test('S5 of two tabs that steal at once one gets the lock, then the other, then the former holder', async () => {
  const locks = createLocks();
  const clock = createFakeClock();
  const holders: string[] = [];
  const all = ['stuck', 'first', 'second'].map((name) => {
    const lock = createLock(locks.forTab().manager, 'drain', { clock, stuckMs: 10_000 });
    const take = () => lock.acquire(() => holders.push(name));
    const gone = () => void holders.splice(holders.indexOf(name), 1);
    lock.onLost(() => {
      gone();
      take();
    });
    take();
    const release = () => {
      gone();
      lock.release();
    };
    return { name, lock, release };
  });
  await until('held', () => holders.length === 1);
  clock.pass(10_000);
  await until('stolen', () => holders.length === 1 && holders[0] !== 'stuck');
  await turns();
  const had: string[] = [];
  for (let i = 0; i < 3; i++) {
    expect(holders).toHaveLength(1);
    had.push(holders[0]!);
    all.find(({ name }) => name === holders[0])!.release();
    await turns();
  }
  expect(had.toSorted()).toEqual(['first', 'second', 'stuck']);
  for (const { lock } of all) lock.close();
  expect(clock.isSet()).toBe(false);
});

test('S5 a late report of a theft does not affect a tab that holds the lock again', async () => {
  const clock = createFakeClock();
  const asked: { held: (lock: unknown) => unknown; steal: (error: unknown) => void }[] = [];
  const request = (_: string, __: LockOptions, held: (lock: unknown) => unknown) =>
    new Promise((_, steal) => asked.push({ held, steal }));
  const lock = createLock({ request } as unknown as LockManager, 'drain', { clock, stuckMs: 10_000 });
  let lost = 0;
  lock.onLost(() => lost++);
  lock.acquire(() => {});
  asked[0]!.held({});
  lock.release(); // marking had noticed the theft
  let held = 0;
  lock.acquire(() => held++);
  asked[1]!.held({});
  asked[0]!.steal(new DOMException('stolen', 'AbortError'));
  await turns();
  expect([held, lost]).toEqual([1, 0]);
  lock.close();
});

test('O2 S5 a browser that refuses locks is treated as one without them', async () => {
  const clock = createFakeClock();
  const request = () => Promise.reject(new DOMException('denied', 'SecurityError'));
  const lock = createLock({ request } as unknown as LockManager, 'drain', { clock, stuckMs: 10_000 });
  let held = 0;
  lock.acquire(() => held++);
  await until('it goes on without', () => held === 1);
  expect(lock.exclusive).toBe(false);
  expect(clock.isSet()).toBe(false);
});
