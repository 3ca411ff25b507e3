import { DatabaseClosed } from '../db/database.ts';

/**
 * Calls `work` for each trigger, one call at a time; triggers before it begins, which is not in the same breath, are one
 * with it, and triggers during a call become one call after it. Resolves when a call that began after the trigger is
 * done, and never rejects: a database that failed once is read again later.
 */
export function coalesced(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let following: Promise<void> | undefined;

  async function run(): Promise<void> {
    await undefined;
    following = undefined;
    try {
      await work();
    } catch (error) {
      if (!(error instanceof DatabaseClosed)) console.warn('what is shown could not be read', error);
    }
  }

  return () => {
    if (following) return following;
    const next: Promise<void> = (running ? running.then(run) : run()).finally(() => {
      if (running === next) running = undefined;
    });
    following = next;
    running = next;
    return next;
  };
}
