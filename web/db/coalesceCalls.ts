import { DatabaseClosed } from './resilientDatabase.ts';

/**
 * Runs `work` for each trigger, one run at a time. A run begins in a later microtask: triggers before that share it,
 * and triggers during a run share the next one. Resolves when a run that began after the trigger is over. Never
 * rejects: a database that failed is read again at the next trigger.
 */
export function coalesceCalls(work: () => Promise<void>): CoalescedCalls {
  let running: Promise<void> | undefined;
  let following: Promise<void> | undefined;

  async function run(): Promise<void> {
    await undefined;
    following = undefined;
    try {
      await work();
    } catch (error) {
      if (!(error instanceof DatabaseClosed))
        console.warn('the database could not be read for the screen', error);
    }
  }

  const trigger = () => {
    if (following) return following;
    const next: Promise<void> = (running ? running.then(run) : run()).finally(() => {
      if (running === next) running = undefined;
    });
    following = next;
    running = next;
    return next;
  };
  return Object.assign(trigger, { isRunning: () => running !== undefined });
}

export interface CoalescedCalls {
  (): Promise<void>;
  /** A run is under way or due. */
  isRunning(): boolean;
}
