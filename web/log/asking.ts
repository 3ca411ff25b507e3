/** Ranges from the server, one at a time per room and few at once, retried until there is an answer or no connection. */
import { ACKNOWLEDGE_WITHIN_MS } from '../../shared/limits.ts';
import { type Answer, classOf } from '../../shared/protocol/index.ts';
import type { Clock } from '../db/clock.ts';
import { backoff, jittered } from '../transport/backoff.ts';
import type { Link } from '../transport/link.ts';
import type { Stretch } from './spans.ts';

export interface Asking {
  /** An answer, perhaps cut short; undefined when there is no way to one now, or the room is not ours to read. */
  range(room: string, stretch: Stretch): Promise<Answer<'range'> | undefined>;
  close(): void;
}

/** Rooms that are being asked for at the same time. */
const LANES = 4;
const ATTEMPTS = 5;

export function createAsking(link: () => Pick<Link, 'ask'>, clock: Clock, random: () => number): Asking {
  const waiting: (() => void)[] = [];
  let free = LANES;
  let closed = false;

  async function range(room: string, stretch: Stretch): Promise<Answer<'range'> | undefined> {
    for (let failures = 0; failures < ATTEMPTS && !closed; failures++) {
      const answer = await inLane(() => link().ask('range', { room, ...stretch }, 2 * ACKNOWLEDGE_WITHIN_MS));
      if (!answer) return undefined;
      if (answer.ok) return answer;
      const { code, retryAfter } = answer.error;
      if (classOf(code) !== 'transient' && classOf(code) !== 'uncertain') return undefined;
      await pause(retryAfter === undefined ? backoff(failures, random) : jittered(retryAfter, random));
    }
    return undefined;
  }

  async function inLane<T>(work: () => Promise<T>): Promise<T> {
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    else free--;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => clock.setTimeout(resolve, ms));
  }

  return {
    range,
    close() {
      closed = true;
    },
  };
}
