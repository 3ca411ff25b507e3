import { DatabaseClosed } from '../db/database.ts';

/**
 * Calls `work` for each trigger, one call at a time; triggers during a call become one call after it. Resolves when a
 * call that began after the trigger is done, and never rejects: a database that failed once is read again later.
 */
export function coalesced(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let following: Promise<void> | undefined;

  function run(): Promise<void> {
    following = undefined;
    running = work()
      .catch((error) => {
        if (!(error instanceof DatabaseClosed)) console.warn('what is shown could not be read', error);
      })
      .finally(() => {
        running = undefined;
      });
    return running;
  }

  return () => {
    if (!running) return run();
    following ??= running.then(run);
    return following;
  };
}
