/** What every question to the store passes: refused once it is closed, answered in time, and never an error of the driver. */
import type { Logger } from 'pino';
import { withTimeout } from '../../base/timeout.ts';
import { Unavailable } from '../port.ts';
import { isOfTheDatabase, messageOf } from './faults.ts';
import { seldom } from './seldom.ts';

/** Below the 8 s in which a request is answered, and above the 5 s that a write may wait for the majority. */
export const ANSWER_WITHIN_MS = 7_000;
/** A database that is away fails every question: one line in so long says it. */
const SAID_EVERY_MS = 10_000;

export interface Gate {
  pass<T>(work: () => Promise<T>, withinMs?: number): Promise<T>;
  /** Every method of it. */
  guard<Part extends object>(part: Part): Part;
  /** For the log: why something could not be done. What people are told is the Unavailable that it returns. */
  trouble(reason: string): Unavailable;
  /** Nothing is let in any more, for this reason. */
  shut(reason: string): void;
  /** Resolves when all that was let in has its answer; nothing is let in any more. */
  close(): Promise<void>;
}

export function createGate(log: Pick<Logger, 'warn'>): Gate {
  const inside = new Set<Promise<unknown>>();
  const say = seldom(SAID_EVERY_MS, (reason: string) =>
    log.warn({ reason }, 'the database cannot do that now'),
  );
  let refusal: string | undefined;

  async function pass<T>(work: () => Promise<T>, withinMs = ANSWER_WITHIN_MS): Promise<T> {
    if (refusal !== undefined) throw new Unavailable(refusal);
    const answer = withTimeout(withinMs, work());
    inside.add(answer);
    try {
      return await answer;
    } catch (error) {
      throw isOfTheDatabase(error) ? trouble(messageOf(error)) : error;
    } finally {
      inside.delete(answer);
    }
  }

  function trouble(reason: string): Unavailable {
    say(reason);
    return new Unavailable('The database does not answer; try again.');
  }

  return {
    pass,
    guard<Part extends object>(part: Part): Part {
      const guarded = Object.entries(part).map(([name, method]) => [
        name,
        (...args: unknown[]) => pass(() => method(...args)),
      ]);
      return Object.fromEntries(guarded) as Part;
    },
    trouble,
    shut(reason) {
      refusal ??= reason;
    },
    async close() {
      refusal = 'The database is closed.';
      await Promise.allSettled(inside);
    },
  };
}
