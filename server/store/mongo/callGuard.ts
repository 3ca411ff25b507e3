/**
 * Wraps every call to the store: refuses it once the store is closed, bounds its time, and turns errors of the driver into
 * `Unavailable`.
 */
import type { Logger } from 'pino';
import { withTimeout } from '../../base/timeout.ts';
import { Unavailable } from '../port.ts';
import { describeError, isDatabaseError } from './base/faults.ts';

/** Less than the 8 s in which a request is answered, more than the 5 s that a write may wait for the majority. */
export const ANSWER_WITHIN_MS = 7_000;
/** While the database is away every call fails: the log gets one line per interval. */
const LOG_EVERY_MS = 10_000;

export interface CallGuard {
  /** Calls `work`. Rejects with `Unavailable` after `withinMs`, or where the database fails. */
  pass<T>(work: () => Promise<T>, withinMs?: number): Promise<T>;
  /** The same object with each method passed through `pass`. */
  wrap<Part extends object>(part: Part): Part;
  /** Logs `reason`, and returns the `Unavailable` for clients, which does not contain it. */
  unavailable(reason: string): Unavailable;
  /** Refuses all further calls, with this reason. */
  shut(reason: string): void;
  /** Refuses further calls, and resolves when those under way have ended. */
  close(): Promise<void>;
}

export function createCallGuard(log: Pick<Logger, 'warn'>): CallGuard {
  const underWay = new Set<Promise<unknown>>();
  const say = throttled(LOG_EVERY_MS, (reason: string) =>
    log.warn({ reason }, 'the database cannot answer now'),
  );
  let refusal: string | undefined;

  async function pass<T>(work: () => Promise<T>, withinMs = ANSWER_WITHIN_MS): Promise<T> {
    if (refusal !== undefined) throw new Unavailable(refusal);
    const answer = withTimeout(withinMs, work());
    underWay.add(answer);
    try {
      return await answer;
    } catch (error) {
      throw isDatabaseError(error) ? unavailable(describeError(error)) : error;
    } finally {
      underWay.delete(answer);
    }
  }

  function unavailable(reason: string): Unavailable {
    say(reason);
    return new Unavailable('The database does not answer; try again.');
  }

  return {
    pass,
    wrap<Part extends object>(part: Part): Part {
      const guarded = Object.entries(part).map(([name, method]) => [
        name,
        (...args: unknown[]) => pass(() => method(...args)),
      ]);
      return Object.fromEntries(guarded) as Part;
    },
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

/** `log`, at most once in `everyMs` milliseconds; calls in between are dropped. */
export function throttled<T>(everyMs: number, log: (it: T) => void): (it: T) => void {
  let loggedAt = -Infinity;
  return (it) => {
    if (performance.now() - loggedAt < everyMs) return;
    loggedAt = performance.now();
    log(it);
  };
}
