import { constants, setPriority } from 'node:os';

/** This process lets others go first, such as the server. Where the system does not allow it, it goes on as it is. */
export function yieldToOthers(): void {
  try {
    setPriority(constants.priority.PRIORITY_LOW);
  } catch {
    // nothing depends on it
  }
}
