/** How an operator's command ends: it says in one sentence what was wrong, and its exit code says whether to try again. */
import { ConfigError } from '../base/env.ts';
import { EX_CONFIG, EX_TEMPFAIL } from '../base/exitCodes.ts';
import { Unavailable, Unusable } from './port.ts';

/** Rejects with what no operator can mend. */
export async function runCommand(command: () => Promise<void>): Promise<void> {
  try {
    await command();
  } catch (error) {
    if (!(error instanceof Unusable || error instanceof Unavailable || error instanceof ConfigError))
      throw error;
    console.error(error.message);
    process.exitCode = error instanceof Unavailable ? EX_TEMPFAIL : EX_CONFIG;
  }
}
