import type { Clock } from '../../../web/db/clock.ts';

export interface FakeClock extends Clock {
  /** Advances the clock; due timers fire in order. */
  pass(ms: number): void;
  /** Whether a timer is set. */
  isSet(): boolean;
}

/** A clock that advances only when a test says so. */
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
