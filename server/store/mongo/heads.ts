/**
 * What is known to be committed: of each room the greatest serverOffset that was acknowledged here, read by majority or
 * heard by the tail. A committed head never goes back, so it is where a read of the head may begin.
 */

export interface Heads {
  /** 0 where nothing is known. */
  known(room: string): number;
  heard(room: string, serverOffset: number): void;
  /** Resolves with the head that is known once it is beyond this, or after `atMostMs`. */
  beyond(room: string, serverOffset: number, atMostMs: number): Promise<number>;
}

export function createHeads(): Heads {
  const heads = new Map<string, number>();
  const waiting = new Map<string, Set<() => void>>();

  const known = (room: string) => heads.get(room) ?? 0;

  return {
    known,
    heard(room, serverOffset) {
      if (serverOffset <= known(room)) return;
      heads.set(room, serverOffset);
      for (const look of waiting.get(room) ?? []) look();
    },
    beyond(room, serverOffset, atMostMs) {
      if (known(room) > serverOffset) return Promise.resolve(known(room));
      return new Promise((resolve) => {
        const timer = setTimeout(done, atMostMs);
        const look = () => known(room) > serverOffset && done();
        const looks = waiting.get(room) ?? new Set();
        waiting.set(room, looks.add(look));
        function done() {
          clearTimeout(timer);
          looks.delete(look);
          if (looks.size === 0) waiting.delete(room);
          resolve(known(room));
        }
      });
    },
  };
}
