import { expect, test } from 'vitest';
import { coalesceCalls } from '../../../web/db/coalesceCalls.ts';

test('triggers in the same microtask share one run, triggers during a run share one more after it', async () => {
  const calls: PromiseWithResolvers<void>[] = [];
  const trigger = coalesceCalls(() => {
    const call = Promise.withResolvers<void>();
    calls.push(call);
    return call.promise;
  });
  const first = [trigger(), trigger()];
  await undefined;
  expect(calls).toHaveLength(1);
  const second = [trigger(), trigger()];
  await undefined;
  expect(calls).toHaveLength(1);
  calls[0]!.resolve();
  await Promise.all(first);
  await undefined;
  expect(calls).toHaveLength(2);
  calls[1]!.resolve();
  await Promise.all(second);
  void trigger();
  await undefined;
  expect(calls).toHaveLength(3);
});

test('a run that fails rejects no caller, and the next one starts', async () => {
  let calls = 0;
  const trigger = coalesceCalls(async () => {
    calls++;
    if (calls === 1) throw new Error('the database is away');
  });
  await trigger();
  await trigger();
  expect(calls).toBe(2);
});
