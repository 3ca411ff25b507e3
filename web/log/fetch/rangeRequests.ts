/**
 * Requests ranges of a log: a few in parallel, in pieces whose size adapts to the network, with retries. An answer that
 * arrives in a later session is discarded (syncSession.ts).
 */
import { ACKNOWLEDGE_WITHIN_MS, RANGE_MAX_ENTRIES } from '../../../shared/limits.ts';
import { classOf } from '../../../shared/protocol/codes.ts';
import type { Answer } from '../../../shared/protocol/index.ts';
import type { Clock } from '../../db/clock.ts';
import { RANGE_FIRST_ENTRIES, RANGE_LEAST_ENTRIES } from '../../records/pageLimits.ts';
import type { OffsetRange } from '../../records/spans.ts';
import { backoff, jittered } from '../../transport/backoff.ts';
import type { ConnectionRunner } from '../../transport/connectionRunner.ts';
import type { SyncSession, SyncSessions } from './syncSession.ts';

export type RangeResult =
  /** May contain fewer entries than requested. */
  | { tag: 'answered'; answer: Answer<'range'> }
  /** No answer; a later request may succeed. */
  | { tag: 'lost' }
  /** The user may not read the room. */
  | { tag: 'refused' };

export interface RangeRequests {
  request(session: SyncSession, room: string, range: OffsetRange): Promise<RangeResult>;
  /** How many entries to request at once, by how fast the last answers arrived. */
  pieceEntries(): number;
  close(): void;
}

interface Deps {
  connection: () => Pick<ConnectionRunner, 'ask' | 'tell'>;
  sessions: Pick<SyncSessions, 'isCurrent' | 'reconnect'>;
  clock: Clock;
  random: () => number;
}

/** Parallel requests. */
const LANES = 4;
const ATTEMPTS = 5;
/** Longer than a silent connection lives: an answer that is too large ends it, and the next one requests less (S4). */
const ANSWER_WITHIN_MS = 3 * ACKNOWLEDGE_WITHIN_MS;
/** An answer that is lost sooner than this was not lost because of its size. */
const LOST_BY_SIZE_MS = 1_000;
const LOST = { tag: 'lost' } as const;

export function createRangeRequests({ connection, sessions, clock, random }: Deps): RangeRequests {
  const lanes = createLanes(LANES);
  /** Rooms whose last range was not answered share one lane, so that they do not block the others. */
  const silent = new Set<string>();
  const laneOfSilent = createLanes(1);
  let pieceEntries = RANGE_FIRST_ENTRIES;
  let closed = false;

  async function request(session: SyncSession, room: string, range: OffsetRange): Promise<RangeResult> {
    for (let failures = 0; failures < ATTEMPTS && !closed; failures++) {
      const inLane = () => lanes(() => requestOnce(session, room, range));
      const answer = await (silent.has(room) ? laneOfSilent(inLane) : inLane());
      if (!answer || closed || !sessions.isCurrent(session)) return LOST;
      if (answer.ok && answer.epoch === session.version.epoch) return { tag: 'answered', answer };
      if (answer.ok) {
        sessions.reconnect(); // the server's data was restored during this connection: the next welcome says so (S1)
        return LOST;
      }
      const { code, retryAfter } = answer.error;
      const errorClass = classOf(code);
      if (errorClass === 'permanent') return { tag: 'refused' };
      if (errorClass !== 'transient' && errorClass !== 'uncertain') return LOST;
      await pause(retryAfter === undefined ? backoff(failures, random) : jittered(retryAfter, random));
    }
    return LOST;
  }

  /**
   * Adapts the piece size: halves it after a request without an answer, doubles it after a large answer that came fast.
   * After a slow answer that was cut short, it is the length of that answer: the user waits until a hole is filled entirely.
   */
  async function requestOnce(session: SyncSession, room: string, range: OffsetRange) {
    if (!sessions.isCurrent(session)) return undefined;
    const began = clock.ticks();
    const answer = await connection().ask('range', { room, ...range }, ANSWER_WITHIN_MS);
    if (answer) {
      silent.delete(room);
      const isLarge = 2 * (range.to - range.from + 1) >= pieceEntries;
      const isSoon = clock.ticks() - began < ACKNOWLEDGE_WITHIN_MS / 2; // so twice as much still arrives in time
      if (answer.ok && isLarge && isSoon) pieceEntries = Math.min(RANGE_MAX_ENTRIES, 2 * pieceEntries);
      if (answer.ok && !isSoon)
        pieceEntries = Math.min(pieceEntries, Math.max(RANGE_LEAST_ENTRIES, cutAt(range, answer)));
      return answer;
    }
    if (sessions.isCurrent(session)) silent.add(room);
    if (clock.ticks() - began >= LOST_BY_SIZE_MS)
      pieceEntries = Math.max(RANGE_LEAST_ENTRIES, Math.floor(pieceEntries / 2));
    if (sessions.isCurrent(session)) connection().tell({ type: 'suspect' }); // open, but silent (S4)
    return undefined;
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => clock.setTimeout(resolve, ms));
  }

  return {
    request,
    pieceEntries: () => pieceEntries,
    close() {
      closed = true;
    },
  };
}

/** A semaphore: at most `count` jobs at a time, first come, first served. */
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

/** The length of an answer that the server cut short because of its size. */
function cutAt({ from, to }: OffsetRange, { entries, head }: Answer<'range'>): number {
  const asked = Math.min(to, head) - from + 1;
  return entries.length < asked ? entries.length : RANGE_MAX_ENTRIES;
}
