/** The delayed checks of pending entries, on a clock that the test moves. */
import { expect, it } from 'vitest';
import { createDelayedChecks } from '../../../../server/store/mongo/repairSideEffects.ts';
import { Unavailable } from '../../../../server/store/port.ts';
import { documentOf, fakeClock } from './tail/scene.ts';

function scene() {
  const { clock, advance, pending } = fakeClock();
  const repaired: unknown[] = [];
  let fails = false;
  const checks = createDelayedChecks({
    clock,
    repair: async (entries) => {
      if (fails) throw new Unavailable('away');
      repaired.push(...entries);
    },
  });
  const setFails = (value: boolean) => {
    fails = value;
  };
  return { checks, repaired, advance, pending, setFails };
}

const PENDING = [
  documentOf('r', 1, { kind: 'join', pending: true }),
  documentOf('r', 2),
  documentOf('r', 3, { kind: 'leave', pending: true }),
];

it('L3 side effects that a dead process left unapplied are checked a little later, until the check succeeds', async () => {
  const { checks, repaired, advance, setFails } = scene();
  setFails(true);
  checks.delivered(PENDING);
  await advance(1_999);
  expect(repaired).toEqual([]);
  await advance(1);
  setFails(false);
  await advance(2_000);
  expect(repaired).toEqual([
    { room: 'r', serverOffset: 1 },
    { room: 'r', serverOffset: 3 },
  ]);
  await advance(10_000);
  expect(repaired).toHaveLength(2);
});

it('after close nothing is checked, also no failed check is repeated', async () => {
  const { checks, repaired, advance, pending, setFails } = scene();
  setFails(true);
  checks.delivered(PENDING);
  await advance(2_000);
  setFails(false);
  checks.close();
  checks.delivered(PENDING);
  expect(pending()).toEqual([]);
  await advance(10_000);
  expect(repaired).toEqual([]);
});
