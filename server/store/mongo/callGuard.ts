/**
 * Wraps every call to the store: refuses it once the store is closed, bounds its time and the number of calls under way, and
 * turns errors of the driver into `Unavailable`. Appends have a queue of their own, so that they do not wait behind reads;
 * among the others, long reads do not hold up short calls.
 */
import type { Logger } from 'pino';
import { type BatchLoaderOptions, createBatchLoader, type WaitingKey } from '../../base/batchLoader.ts';
import { STORE_ANSWERS_WITHIN_MS, STORE_CALLS_WAITING } from '../../base/serverLimits.ts';
import { throttled } from '../../base/throttled.ts';
import { withTimeout } from '../../base/timeout.ts';
import { createCallQueue, type QueueState } from '../callQueue.ts';
import { Unavailable } from '../port.ts';
import { describeError, isDatabaseError } from './base/faults.ts';

/** While the database is away every call fails: the log gets one line per interval. */
const LOG_EVERY_MS = 10_000;

/**
 * Calls under way. Other than appends they use no more connections than the pool has (connect.ts), most of them one and some
 * two at a time, so that an append waits for a connection only while a query ends. There are more appends than connections,
 * since an append may wait for its turn among the processes (writeTurns.ts).
 */
const APPENDS_UNDER_WAY = 64;
const OTHERS_UNDER_WAY = { first: 12, later: 4, inAll: 16 };

export type GuardLane = 'append' | 'short' | 'long';

export interface CallGuard {
  /**
   * Calls `work` when its turn comes. Rejects with `Unavailable` after `withinMs`, or where the database fails. What was not
   * begun by then is not begun any more.
   */
  pass<T>(work: () => Promise<T>, withinMs?: number, lane?: GuardLane): Promise<T>;
  /** The same object with each method passed through `pass`. `long`: the methods that may read much. */
  wrap<Part extends object>(part: Part, long?: readonly (keyof Part)[]): Part;
  /**
   * Answers many callers by one call of `load`, which gets at most `most` of their keys (or as many as their sizes allow) and passes
   * through `pass`. A caller has its answer, or `Unavailable`, within the time of one call.
   */
  inBatches<Key, Result>(options: Batches<Key, Result>): (key: Key) => Promise<Result>;
  /** The calls that wait. */
  waiting(): Record<'appends' | 'others', QueueState>;
  /** Logs `reason`, and returns the `Unavailable` for clients, which does not contain it. */
  unavailable(reason: string): Unavailable;
  /** Refuses all further calls, with this reason. */
  shut(reason: string): void;
  /** Refuses further calls, and resolves when those under way have ended. */
  close(): Promise<void>;
}

export interface Batches<Key, Result>
  extends Omit<BatchLoaderOptions<Key, Result>, 'waitingOfAll' | 'mostWaiting'> {
  lane?: GuardLane;
}

export function createCallGuard(log: Pick<Logger, 'warn'>): CallGuard {
  const underWay = new Set<Promise<unknown>>();
  const say = throttled(LOG_EVERY_MS, (reason: string) =>
    log.warn({ reason }, 'the database cannot answer now'),
  );
  let refusal: string | undefined;

  const bounds = { mostWaiting: STORE_CALLS_WAITING, waitAtMostMs: STORE_ANSWERS_WITHIN_MS };
  const queues = {
    appends: createCallQueue({
      mostUnderWay: { first: APPENDS_UNDER_WAY, later: 0, inAll: APPENDS_UNDER_WAY },
      ...bounds,
    }),
    others: createCallQueue({ mostUnderWay: OTHERS_UNDER_WAY, ...bounds }),
  };

  /** Of all loaders of `inBatches`, which are many: one for each room. */
  const waitingKeys = new Set<WaitingKey>();

  /** A call counts as under way until it has ended, also when nobody waits for it any more. */
  function inTurn<T>(lane: GuardLane, work: () => Promise<T>, isOver: () => boolean): Promise<T> {
    const queue = lane === 'append' ? queues.appends : queues.others;
    const place = lane === 'long' ? 'later' : 'first';
    return new Promise((resolve, reject) => {
      const begin = async () => {
        try {
          if (!isOver()) resolve(await work());
        } catch (error) {
          reject(error);
        } finally {
          queue.ended(place);
        }
      };
      queue.add(place, () => void begin(), reject);
    });
  }

  async function pass<T>(
    work: () => Promise<T>,
    withinMs = STORE_ANSWERS_WITHIN_MS,
    lane: GuardLane = 'short',
  ): Promise<T> {
    if (refusal !== undefined) throw new Unavailable(refusal);
    let isOver = false;
    const answer = withTimeout(
      withinMs,
      inTurn(lane, work, () => isOver),
    );
    underWay.add(answer);
    try {
      return await answer;
    } catch (error) {
      throw isDatabaseError(error) ? unavailable(describeError(error)) : error;
    } finally {
      isOver = true;
      underWay.delete(answer);
    }
  }

  function unavailable(reason: string): Unavailable {
    say(reason);
    return new Unavailable('The database does not answer; try again.');
  }

  return {
    pass,
    wrap<Part extends object>(part: Part, long: readonly (keyof Part)[] = []): Part {
      const guarded = Object.entries(part).map(([name, method]) => {
        const lane = long.includes(name as keyof Part) ? 'long' : 'short';
        return [name, (...args: unknown[]) => pass(() => method(...args), STORE_ANSWERS_WITHIN_MS, lane)];
      });
      return Object.fromEntries(guarded) as Part;
    },
    inBatches: ({ load, lane, ...options }) =>
      createBatchLoader({
        ...options,
        load: (keys) => pass(() => load(keys), STORE_ANSWERS_WITHIN_MS, lane),
        waitingOfAll: waitingKeys,
        mostWaiting: () => STORE_CALLS_WAITING - queues.others.state().waiting,
      }),
    waiting: () => ({
      appends: queues.appends.state(),
      others: together([queues.others.state(), stateOf(waitingKeys)]),
    }),
    unavailable,
    shut(reason) {
      refusal ??= reason;
    },
    async close() {
      refusal = 'The database is closed.';
      await Promise.allSettled(underWay);
    },
  };
}

function stateOf(keys: ReadonlySet<WaitingKey>): QueueState {
  const [oldest] = keys;
  return { waiting: keys.size, oldestMs: oldest ? performance.now() - oldest.since : 0 };
}

function together(states: readonly QueueState[]): QueueState {
  return {
    waiting: states.reduce((sum, { waiting }) => sum + waiting, 0),
    oldestMs: Math.max(...states.map(({ oldestMs }) => oldestMs)),
  };
}
