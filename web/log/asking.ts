/**
 * Ranges from the server: few at once, in pieces that the network carries, retried until there is an answer or no way to
 * one. What is asked in one era is no answer in another (era.ts).
 */
import { ACKNOWLEDGE_WITHIN_MS, RANGE_MAX_ENTRIES } from '../../shared/limits.ts';
import { classOf } from '../../shared/protocol/codes.ts';
import type { Answer } from '../../shared/protocol/index.ts';
import type { Clock } from '../db/clock.ts';
import { RANGE_FIRST_ENTRIES, RANGE_LEAST_ENTRIES } from '../records/pageLimits.ts';
import { backoff, jittered } from '../transport/backoff.ts';
import type { ConnectionRunner } from '../transport/connectionRunner.ts';
import type { Era, Eras } from './era.ts';
import type { Stretch } from './spans.ts';

export type Ranged =
  /** Perhaps cut short. */
  | { tag: 'answered'; answer: Answer<'range'> }
  /** No way to an answer now; another time there may be. */
  | { tag: 'lost' }
  /** The room is not ours to read. */
  | { tag: 'refused' };

export interface Asking {
  range(era: Era, room: string, stretch: Stretch): Promise<Ranged>;
  /** So many entries at once, by how the last answers came. */
  count(): number;
  close(): void;
}

interface Deps {
  link: () => Pick<ConnectionRunner, 'ask' | 'tell'>;
  eras: Pick<Eras, 'isNow' | 'otherEpoch'>;
  clock: Clock;
  random: () => number;
}

/** Rooms that are being asked for at the same time. */
const LANES = 4;
const ATTEMPTS = 5;
/** Longer than silence is borne with: what is too large ends the connection, and the next one asks for less (S4). */
const ANSWER_WITHIN_MS = 3 * ACKNOWLEDGE_WITHIN_MS;
/** What is lost sooner was lost whatever its size. */
const LOST_BY_SIZE_MS = 1_000;

const LOST = { tag: 'lost' } as const;

export function createAsking({ link, eras, clock, random }: Deps): Asking {
  const lanes = createLanes(LANES);
  /** Rooms whose last range stayed unanswered share one of them: they must not take them all. */
  const silent = new Set<string>();
  const laneOfSilent = createLanes(1);
  let count = RANGE_FIRST_ENTRIES;
  let closed = false;

  async function range(era: Era, room: string, stretch: Stretch): Promise<Ranged> {
    for (let failures = 0; failures < ATTEMPTS && !closed; failures++) {
      const asked = () => lanes(() => ask(era, room, stretch));
      const answer = await (silent.has(room) ? laneOfSilent(asked) : asked());
      if (!answer || closed || !eras.isNow(era)) return LOST;
      if (answer.ok && answer.epoch === era.logs.epoch) return { tag: 'answered', answer };
      if (answer.ok) {
        eras.otherEpoch(); // the data was put back under this connection: the next welcome says what holds now (S1)
        return LOST;
      }
      const { code, retryAfter } = answer.error;
      const is = classOf(code);
      if (is === 'permanent') return { tag: 'refused' };
      if (is !== 'transient' && is !== 'uncertain') return LOST;
      await pause(retryAfter === undefined ? backoff(failures, random) : jittered(retryAfter, random));
    }
    return LOST;
  }

  /**
   * Halved after one that stayed unanswered, doubled after one that was large and came soon: a slow network carries it,
   * too. Where an answer was slow and not all that was asked, no more than it held: who looks at a hole waits for all of it.
   */
  async function ask(era: Era, room: string, stretch: Stretch) {
    if (!eras.isNow(era)) return undefined;
    const began = clock.ticks();
    const answer = await link().ask('range', { room, ...stretch }, ANSWER_WITHIN_MS);
    if (answer) {
      silent.delete(room);
      const isLarge = 2 * (stretch.to - stretch.from + 1) >= count;
      const isSoon = clock.ticks() - began < ACKNOWLEDGE_WITHIN_MS / 2; // so that twice as much is no end of the connection
      if (answer.ok && isLarge && isSoon) count = Math.min(RANGE_MAX_ENTRIES, 2 * count);
      if (answer.ok && !isSoon)
        count = Math.min(count, Math.max(RANGE_LEAST_ENTRIES, cutAt(stretch, answer)));
      return answer;
    }
    if (eras.isNow(era)) silent.add(room);
    if (clock.ticks() - began >= LOST_BY_SIZE_MS)
      count = Math.max(RANGE_LEAST_ENTRIES, Math.floor(count / 2));
    if (eras.isNow(era)) link().tell({ type: 'suspect' }); // it says it is open, and does not answer (S4)
    return undefined;
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => clock.setTimeout(resolve, ms));
  }

  return {
    range,
    count: () => count,
    close() {
      closed = true;
    },
  };
}

/** So many pieces of work at the same time, in the order in which they came. */
function createLanes(count: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let free = count;
  return async (work) => {
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    else free--;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}

/** How many entries one answer had room for, where it was cut by its size. */
function cutAt({ from, to }: Stretch, { entries, head }: Answer<'range'>): number {
  const asked = Math.min(to, head) - from + 1;
  return entries.length < asked ? entries.length : RANGE_MAX_ENTRIES;
}
