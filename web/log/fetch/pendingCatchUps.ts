/**
 * Catch-ups that the server announced in a room's description and has not sent yet. The first frame of one may open a span.
 * One that does not arrive in time is requested as a range instead.
 */
import type { Clock, Timer } from '../../db/clock.ts';
import { CATCH_UP_WITHIN_MS } from '../../records/pageLimits.ts';

export interface PendingCatchUps {
  expect(room: string, from: number, head: number): void;
  isExpected(room: string): boolean;
  isAny(): boolean;
  /** The first frame of the room's catch-up begins at `from`. */
  beginsAt(room: string, from: number): boolean;
  /** The room is stored up to `last`. */
  reached(room: string, last: number): void;
  drop(room: string): void;
  dropAll(): void;
  /** The next frame may take CATCH_UP_WITHIN_MS from now on. */
  restartTimer(): void;
}

export function createPendingCatchUps(clock: Clock, late: (rooms: string[]) => void): PendingCatchUps {
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
    restartTimer() {
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
