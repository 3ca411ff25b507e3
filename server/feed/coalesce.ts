/**
 * One room's frames: as long as little is said, nothing waits, and a few that come close together do not either; under
 * load what comes within 15 ms goes out as one. `send` is called one at a time and in order, whatever it waits for.
 */
import { FRAME_COALESCE_MS, FRAMES_BURST } from '../base/serverLimits.ts';
import { take } from '../limits/bucket.ts';

const RATE = { perSecond: 1_000 / FRAME_COALESCE_MS, burst: FRAMES_BURST };

/** `now` in milliseconds. */
export function createCoalescer<T>(
  send: (items: T[]) => Promise<void>,
  now: () => number,
): (items: readonly T[]) => void {
  let waiting: T[] = [];
  let isTimed = false;
  let bucket = { level: RATE.burst, at: now() };
  let sending: Promise<void> = Promise.resolve();

  function flush() {
    isTimed = false;
    const taken = take(bucket, 1, now(), RATE);
    if (!taken.ok) return later(taken.retryAfter);
    bucket = taken.state;
    const items = waiting;
    waiting = [];
    sending = sending.then(() => send(items));
  }

  function later(ms: number) {
    isTimed = true;
    setTimeout(flush, ms);
  }

  return (items) => {
    waiting.push(...items);
    if (!isTimed) flush();
  };
}
