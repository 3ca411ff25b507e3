/** How far each room was heard, and what must be heard yet. Pure but for the clock that it is handed. */

export interface Watermarks {
  /** True for an entry that comes for the first time: the rooms' offsets only ever rise (L2). */
  pass(room: string, serverOffset: number): boolean;
  /** It was acknowledged here, so the tail must bring it. */
  expect(room: string, serverOffset: number): void;
  /** True when something expected did not come for so long, in milliseconds. */
  isOverdue(ms: number): boolean;
  /** What is expected has as long again to come. */
  wait(): void;
  /** Behind a gap nothing is expected any more, and in a database that was put back offsets may begin lower. */
  reset(): void;
}

/** More are not remembered: an entry of another room could come twice then, and whoever listens drops it. */
const ROOMS = 20_000;

export function createWatermarks(now: () => number): Watermarks {
  const heard = new Map<string, number>();
  const expected = new Map<string, { serverOffset: number; since: number }>();

  function arrived(room: string, serverOffset: number) {
    const awaited = expected.get(room);
    if (!awaited) return;
    if (serverOffset >= awaited.serverOffset) expected.delete(room);
    else awaited.since = now(); // it comes on
  }

  return {
    pass(room, serverOffset) {
      if (serverOffset <= (heard.get(room) ?? 0)) return false;
      heard.delete(room); // so that the rooms stand in the order in which they were heard last
      heard.set(room, serverOffset);
      if (heard.size > ROOMS) heard.delete(heard.keys().next().value!);
      arrived(room, serverOffset);
      return true;
    },
    expect(room, serverOffset) {
      if (serverOffset <= (heard.get(room) ?? 0)) return;
      const awaited = expected.get(room);
      if (!awaited) expected.set(room, { serverOffset, since: now() });
      else awaited.serverOffset = Math.max(awaited.serverOffset, serverOffset);
    },
    isOverdue: (ms) => [...expected.values()].some(({ since }) => now() - since >= ms),
    wait() {
      for (const awaited of expected.values()) awaited.since = now();
    },
    reset() {
      heard.clear();
      expected.clear();
    },
  };
}
