/** Polls until a condition holds, instead of sleeping for a guessed time. */
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_EVERY_MS = 20;

/** Resolves with the first value of `look` that is neither false nor undefined. Rejects after `withinMs`, naming `what`. */
export async function waitFor<T>(
  what: string,
  look: () => T | Promise<T>,
  withinMs = 15_000,
): Promise<Exclude<T, false | undefined>> {
  const until = performance.now() + withinMs;
  for (;;) {
    const seen = await look();
    if (seen !== false && seen !== undefined) return seen as Exclude<T, false | undefined>;
    if (performance.now() > until) throw new Error(`timed out after ${withinMs} ms: ${what}`);
    await sleep(LOOK_EVERY_MS);
  }
}
