/** Random histories against the model. A failure prints the seed and the shortest history that shows it. */
import fc from 'fast-check';
import { it } from 'vitest';
import type { Harness } from '../support.ts';
import { createFollowers } from './followers.ts';
import { history } from './operations.ts';
import { type Cast, play } from './play.ts';

export interface HistoryOptions {
  runs: number;
  /** Time limit in milliseconds for the runs on one database, with the search for the shortest history once one has failed. */
  withinMs: number;
}

/** After this many runs a new database is used, so that a long soak does not test a large database. */
const RUNS_PER_DATABASE = 50;
/** On two busy cores a history of three stores on MongoDB takes up to 2 s. */
const MOST_PER_RUN_MS = 5_000;

export function histories(runs: number): HistoryOptions {
  return { runs, withinMs: RUNS_PER_DATABASE * MOST_PER_RUN_MS };
}

/** `castOf` opens more stores on the same database; the actions of a history are spread over all of them. */
export function historyCases<H extends Harness>(
  open: () => Promise<H>,
  castOf: (harness: H) => Promise<Cast>,
  { runs, withinMs }: HistoryOptions,
): void {
  const databases = Math.ceil(runs / RUNS_PER_DATABASE);

  it('L1 L2 L3 L5 any history of appends, reads and reopenings equals that of the model', {
    timeout: databases * (withinMs + 30_000),
  }, async () => {
    for (let left = runs; left > 0; left -= RUNS_PER_DATABASE)
      await onOneDatabase(Math.min(left, RUNS_PER_DATABASE));
  });

  async function onOneDatabase(numRuns: number): Promise<void> {
    const harness = await open();
    try {
      const cast = await castOf(harness);
      const followers = createFollowers();
      await fc.assert(
        fc.asyncProperty(history, (steps) => play(harness, cast, followers, steps)),
        { numRuns, interruptAfterTimeLimit: withinMs, markInterruptAsFailure: true },
      );
      await followers.close();
    } finally {
      await harness.destroy();
    }
  }
}
