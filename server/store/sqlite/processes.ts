/** Settings of our threads and child processes. */
import { constants, setPriority } from 'node:os';

/**
 * The environment without the variable by which `node --watch` makes threads and child processes report their imports as
 * messages: they would be mistaken for answers.
 */
export function withoutWatching({
  WATCH_REPORT_DEPENDENCIES: _,
  ...env
}: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return env;
}

/** Gives this process the lowest CPU priority, so that the server runs first. Where that is not permitted, nothing changes. */
export function lowerPriority(): void {
  try {
    setPriority(constants.priority.PRIORITY_LOW);
  } catch {
    // nothing depends on it
  }
}
