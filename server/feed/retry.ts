/** Does `step` until it does not fail, or until `isOver`, with a longer and longer pause between: nobody else will do it. */
export async function untilDone(
  step: () => Promise<unknown>,
  { pause, isOver }: { pause: (ms: number) => Promise<void>; isOver: () => boolean },
): Promise<void> {
  for (let wait = FIRST_PAUSE_MS; !isOver(); wait = Math.min(2 * wait, LONGEST_PAUSE_MS)) {
    try {
      await step();
      return;
    } catch {
      await pause(wait);
    }
  }
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;
