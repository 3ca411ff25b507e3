/**
 * Fairness between processes that write to the same room. The winner of a race knows the new head from its own
 * acknowledgement and can write again at once; the others learn of it a little later and lose again. Measured without this
 * file: one process of two won every race, and the other's p99 was 1 s. Each lost race also costs the database an insert.
 *
 * Therefore the last entry of each insert names the process that made it. All processes read the same log and derive the
 * same order: while several write, the one that wrote least recently goes first. The others wait some time, each by its
 * place in that order. A process that does not use its turn has none until it writes again. This affects only timing: the
 * compare-and-swap decides what is written.
 */
import { createRecentMap } from '../../base/recentMap.ts';
import type { KnownHeads } from './knownHeads.ts';

/** A turn lasts twice the recent average of an insert, within these bounds: time to insert, and for the others to see it. */
const TURN_MIN_MS = 2;
const TURN_MAX_MS = 100;
/** Weight of the newest insert in the moving average. */
const WEIGHT = 0.2;
/** A process that has not written for this long is not waiting to write. */
const RECENT_MS = 1_000;

export interface WriteTurns {
  /** An entry of this process (`me`) or of another one is committed. */
  wrote(by: string, serverOffset: number): void;
  /** An insert of this process was acknowledged after `ms` milliseconds. */
  took(ms: number): void;
  /** How long this process leaves the room to those before it, in milliseconds; 0 when it is its turn. */
  waitMs(): number;
  /** Those before this process did not use their time: they lose their turn. */
  skipOthers(): void;
}

/** `now`: a monotonic clock in milliseconds. */
export function createWriteTurns(me: string, now: () => number): WriteTurns {
  const last = new Map<string, { serverOffset: number; at: number }>();
  let insertMs = TURN_MIN_MS;

  function before(): string[] {
    const mine = last.get(me);
    if (!mine) return [];
    for (const [by, { at }] of last) if (now() - at > RECENT_MS) last.delete(by);
    return [...last].flatMap(([by, theirs]) => (theirs.serverOffset < mine.serverOffset ? [by] : []));
  }

  return {
    wrote(by, serverOffset) {
      if (serverOffset <= (last.get(by)?.serverOffset ?? 0)) return; // acknowledged before, now delivered by the tail
      last.set(by, { serverOffset, at: now() });
    },
    took(ms) {
      insertMs += WEIGHT * (ms - insertMs);
    },
    waitMs: () => before().length * Math.min(Math.max(2 * insertMs, TURN_MIN_MS), TURN_MAX_MS),
    skipOthers() {
      for (const by of before()) last.delete(by);
    },
  };
}

/** Resolves when it is this process's turn, or those before it did not use theirs. */
export async function awaitTurn(
  room: string,
  turns: WriteTurns,
  heads: Pick<KnownHeads, 'offsetOf' | 'beyond'>,
): Promise<void> {
  for (let ms = turns.waitMs(); ms > 0; ms = turns.waitMs()) {
    const head = heads.offsetOf(room);
    if ((await heads.beyond(room, head, ms)) === head) turns.skipOthers();
  }
}

/** Whoever has not written for a second has no turn, so that what is forgotten later costs nothing. */
const ROOMS_KEPT_MS = 10_000;
const ROOMS_MAX = 20_000;

/** The turns of each room, created on first use. `me`: a random name of this process for the others. */
export function writeTurnsByRoom(me: string, now: () => number): (room: string) => WriteTurns {
  const rooms = createRecentMap<string, WriteTurns>({ maxEntries: ROOMS_MAX, keepMs: ROOMS_KEPT_MS, now });
  return (room) => {
    const turns = rooms.get(room) ?? createWriteTurns(me, now);
    rooms.set(room, turns);
    return turns;
  };
}
