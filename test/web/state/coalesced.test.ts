import { expect, test } from 'vitest';
import { coalesced } from '../../../web/state/coalesced.ts';

test('triggers in one breath are one call, triggers during a call are one more after it', async () => {
  const calls: PromiseWithResolvers<void>[] = [];
  const trigger = coalesced(() => {
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

test('a call that fails rejects nobody, and the next one is made', async () => {
  let calls = 0;
  const trigger = coalesced(async () => {
    calls++;
    if (calls === 1) throw new Error('the database is away');
  });
  await trigger();
  await trigger();
  expect(calls).toBe(2);
});
