/** Long loops in slices, so that no turn of the event loop holds up what came in meanwhile. */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** A slice: far below the 50 ms that a turn may take, and many times what going to the next turn costs. */
const SLICE_MS = 5;

/**
 * Calls `work` for each item, in order, for some milliseconds at a time. Anything may change between two slices: `work` must
 * not rely on what was true when the loop began. `now`: a monotonic clock in milliseconds.
 */
export async function inSlices<Item>(
  items: Iterable<Item>,
  work: (item: Item) => void,
  now: () => number,
): Promise<void> {
  let until = now() + SLICE_MS;
  for (const item of items) {
    work(item);
    if (now() < until) continue;
    await nextTurn();
    until = now() + SLICE_MS;
  }
}
