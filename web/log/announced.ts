/** Catch-ups that the server announced: each may open a span, and one that does not come is asked for instead. */

import type { Clock, Timer } from '../db/clock.ts';
import { CATCH_UP_WITHIN_MS } from '../records/pageLimits.ts';

export interface Announced {
  expect(room: string, from: number, head: number): void;
  isExpected(room: string): boolean;
  isAny(): boolean;
  /** True for the beginning of a catch-up. */
  beginsAt(room: string, from: number): boolean;
  /** It is held up to there. */
  reached(room: string, last: number): void;
  drop(room: string): void;
  dropAll(): void;
  /** From now on the next piece has its time again. */
  wait(): void;
}

export function createAnnounced(clock: Clock, late: (rooms: string[]) => void): Announced {
  const expected = new Map<string, { from: number; head: number }>();
  let grace: Timer | undefined;

  return {
    expect: (room, from, head) => void expected.set(room, { from, head }),
    isExpected: (room) => expected.has(room),
    isAny: () => expected.size > 0,
    beginsAt: (room, from) => expected.get(room)?.from === from,
    reached(room, last) {
      if (last >= (expected.get(room)?.head ?? Number.POSITIVE_INFINITY)) expected.delete(room);
    },
    drop: (room) => void expected.delete(room),
    dropAll: () => expected.clear(),
    wait() {
      if (grace !== undefined) clock.clearTimeout(grace);
      grace = undefined;
      if (expected.size === 0) return;
      grace = clock.setTimeout(() => {
        const rooms = [...expected.keys()];
        expected.clear();
        late(rooms);
      }, CATCH_UP_WITHIN_MS);
    },
  };
}
