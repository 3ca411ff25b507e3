/**
 * Resolves once the condition holds; other tasks run meanwhile. A turn of the event loop may take long on a busy machine (a chunk
 * is loaded, a file is compiled), so it fails only after LEAST_TURNS turns and LEAST_MS.
 */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + LEAST_MS;
  for (let turns = 0; turns < LEAST_TURNS || performance.now() < end; turns++) {
    if (await isSo()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error(`it did not come to this: ${what}`);
}

/** Waits for so many turns of the event loop: to show that nothing happens. */
export async function turns(count = 60): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

const LEAST_TURNS = 20_000;
const LEAST_MS = 10_000;
