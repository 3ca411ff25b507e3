/**
 * Resolves once it is so, letting everything that is under way go on meanwhile. A busy machine may take long over a turn
 * of the event loop (a chunk that is loaded, a file that is compiled), so it gives up by turns and by time.
 */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + LEAST_MS;
  for (let turns = 0; turns < LEAST_TURNS || performance.now() < end; turns++) {
    if (await isSo()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error(`it did not come to this: ${what}`);
}

/** Lets everything that is under way go on for so many turns of the event loop: to show that nothing happens. */
export async function turns(count = 60): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

const LEAST_TURNS = 20_000;
const LEAST_MS = 10_000;
