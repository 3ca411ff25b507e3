import type { Clock } from '../../../web/db/clock.ts';

export interface FakeClock extends Clock {
  /** Lets so much time pass; what is due rings in its order. */
  pass(ms: number): void;
  /** True when something is set to ring. */
  isSet(): boolean;
}

/** A clock that stands still until it is told otherwise. */
export function createFakeClock(): FakeClock {
  const alarms = new Map<number, { at: number; ring: () => void }>();
  let now = 1_000_000;
  let count = 0;

  function nextDue(until: number): [number, { at: number; ring: () => void }] | undefined {
    const due = [...alarms].filter(([, { at }]) => at <= until);
    return due.sort(([a, x], [b, y]) => x.at - y.at || a - b)[0];
  }

  return {
    now: () => now,
    ticks: () => now,
    setTimeout(ring, ms) {
      alarms.set(++count, { at: now + ms, ring });
      return count;
    },
    clearTimeout: (timer) => void alarms.delete(timer as number),
    pass(ms) {
      const until = now + ms;
      for (let due = nextDue(until); due; due = nextDue(until)) {
        const [id, { at, ring }] = due;
        alarms.delete(id);
        now = Math.max(now, at);
        ring();
      }
      now = until;
    },
    isSet: () => alarms.size > 0,
  };
}
