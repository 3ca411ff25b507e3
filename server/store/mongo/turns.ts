/**
 * Fairness among processes that write to one room. Who wins a race knows the new head by its own acknowledgement and can
 * write again at once, the others hear of it a little later and lose again: in a naive trial one process of two won every
 * race, and the other's p99 was 1 s. And every race that is lost has cost the database an insert for nothing.
 *
 * So the last entry of each insert says which process made it. All processes hear the same log and so know the same
 * order: while several write, it is the turn of the one that wrote the longest ago. The others leave it some time, each
 * by its place in the line; who does not use its turn has none until it writes again. It is a custom, not a rule:
 * only time depends on it, and the compare-and-swap decides.
 */
import type { Heads } from './heads.ts';

/** A turn is twice what an insert took here lately, within these bounds: the other one inserts, and is heard of. */
const TURN_LEAST_MS = 2;
const TURN_MOST_MS = 100;
/** Of the newest insert in the average. */
const WEIGHT = 0.2;
/** Who has not written for so long does not write. */
const RECENT_MS = 1_000;

export interface Turns {
  /** An entry of this process or of another one is committed. */
  wrote(by: string, serverOffset: number): void;
  /** An insert of this process was acknowledged after so many milliseconds. */
  took(ms: number): void;
  /** What this process leaves to those whose turn comes first, in milliseconds. */
  leaves(): number;
  /** They had that time, and did not use it. */
  passed(): void;
}

/** `now` is a clock of milliseconds that never goes back. */
export function createTurns(me: string, now: () => number): Turns {
  const last = new Map<string, { serverOffset: number; at: number }>();
  let insertMs = TURN_LEAST_MS;

  function first(): string[] {
    const mine = last.get(me);
    if (!mine) return [];
    for (const [by, { at }] of last) if (now() - at > RECENT_MS) last.delete(by);
    return [...last].flatMap(([by, theirs]) => (theirs.serverOffset < mine.serverOffset ? [by] : []));
  }

  return {
    wrote(by, serverOffset) {
      if (serverOffset <= (last.get(by)?.serverOffset ?? 0)) return; // acknowledged, and now heard of
      last.set(by, { serverOffset, at: now() });
    },
    took(ms) {
      insertMs += WEIGHT * (ms - insertMs);
    },
    leaves: () => first().length * Math.min(Math.max(2 * insertMs, TURN_LEAST_MS), TURN_MOST_MS),
    passed() {
      for (const by of first()) last.delete(by);
    },
  };
}

/** Resolves when the turn is this process's, or those before it do not use theirs. */
export async function myTurn(
  room: string,
  turns: Turns,
  heads: Pick<Heads, 'known' | 'beyond'>,
): Promise<void> {
  for (let ms = turns.leaves(); ms > 0; ms = turns.leaves()) {
    const head = heads.known(room);
    if ((await heads.beyond(room, head, ms)) === head) turns.passed();
  }
}

/** Of all rooms that are written to; `me` is this process's name for the others. */
export function turnsByRoom(me: string, now: () => number): (room: string) => Turns {
  const rooms = new Map<string, Turns>();
  return (room) => {
    const turns = rooms.get(room) ?? createTurns(me, now);
    rooms.set(room, turns);
    return turns;
  };
}
