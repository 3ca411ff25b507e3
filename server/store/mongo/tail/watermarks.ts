/**
 * Watermarks of a tail: per room, how far the stream has delivered, and which acknowledged entry it still has to deliver.
 * They drop duplicates, and show when a stream lost something. Pure but for the clock, which is an argument.
 */

export interface Watermarks {
  /** Advances the room's watermark. False for an entry at or below it, a duplicate: offsets of a room only rise (L2). */
  advance(room: string, serverOffset: number): boolean;
  /** This process was acknowledged this entry, so the stream must deliver it. */
  expect(room: string, serverOffset: number): void;
  /** True when an expected entry has been missing for `ms` milliseconds. */
  isOverdue(ms: number): boolean;
  /** Restarts the wait for every expected entry. */
  restartWait(): void;
  /** After a gap nothing is expected any more, and in a restored database offsets may start lower. */
  reset(): void;
}

/** Rooms with the least recent entries are dropped beyond this: a duplicate could pass there, and listeners drop it. */
const MAX_ROOMS = 20_000;

export function createWatermarks(now: () => number): Watermarks {
  const delivered = new Map<string, number>();
  const expected = new Map<string, { serverOffset: number; since: number }>();

  function arrived(room: string, serverOffset: number) {
    const awaited = expected.get(room);
    if (!awaited) return;
    if (serverOffset >= awaited.serverOffset) expected.delete(room);
    else awaited.since = now(); // there is progress
  }

  return {
    advance(room, serverOffset) {
      if (serverOffset <= (delivered.get(room) ?? 0)) return false;
      delivered.delete(room); // inserted again, so that the map is in order of the last delivery
      delivered.set(room, serverOffset);
      if (delivered.size > MAX_ROOMS) delivered.delete(delivered.keys().next().value!);
      arrived(room, serverOffset);
      return true;
    },
    expect(room, serverOffset) {
      if (serverOffset <= (delivered.get(room) ?? 0)) return;
      const awaited = expected.get(room);
      if (!awaited) expected.set(room, { serverOffset, since: now() });
      else awaited.serverOffset = Math.max(awaited.serverOffset, serverOffset);
    },
    isOverdue: (ms) => [...expected.values()].some(({ since }) => now() - since >= ms),
    restartWait() {
      for (const awaited of expected.values()) awaited.since = now();
    },
    reset() {
      delivered.clear();
      expected.clear();
    },
  };
}
