/** Resolves once it is so, letting everything that is under way go on meanwhile; no time is waited for. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let turns = 0; turns < MOST_TURNS; turns++) {
    if (await isSo()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error(`it did not come to this: ${what}`);
}

/** Lets everything that is under way go on for so many turns of the event loop: to show that nothing happens. */
export async function turns(count = 60): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

const MOST_TURNS = 20_000;
