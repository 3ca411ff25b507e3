/**
 * What is known to be committed: of each room the greatest serverOffset that was acknowledged here, read by majority or
 * heard by the tail. A committed head never goes back, so it is where a read of the head may begin.
 */
import type { Head } from './append/commands.ts';

export interface Heads {
  /** 0 where nothing is known. */
  known(room: string): number;
  /** Undefined where nothing is known, or the place of the head alone. */
  newest(room: string): Head | undefined;
  /** `at`: of the entry there; undefined where it was not read. */
  heard(room: string, serverOffset: number, at?: number): void;
  /** The database answers from before what is known: nothing is built on that until the database has it again. */
  doubt(room: string): void;
  /** Resolves with the head that is known once it is beyond this, or after `atMostMs`. */
  beyond(room: string, serverOffset: number, atMostMs: number): Promise<number>;
}

export function createHeads(): Heads {
  const heads = new Map<string, { serverOffset: number; at: number | undefined }>();
  const waiting = new Map<string, Set<() => void>>();

  const known = (room: string) => heads.get(room)?.serverOffset ?? 0;

  return {
    known,
    newest(room) {
      const { serverOffset, at } = heads.get(room) ?? {};
      return serverOffset === undefined || at === undefined ? undefined : { serverOffset, at };
    },
    heard(room, serverOffset, at) {
      const before = heads.get(room);
      if (serverOffset < known(room) || serverOffset === 0) return;
      if (serverOffset === before?.serverOffset) {
        before.at ??= at;
        return;
      }
      heads.set(room, { serverOffset, at });
      for (const look of waiting.get(room) ?? []) look();
    },
    doubt(room) {
      const head = heads.get(room);
      if (head) head.at = undefined;
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
