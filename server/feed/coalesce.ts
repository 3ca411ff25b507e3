/**
 * One room's frames: when idle, nothing waits; under load what comes within 15 ms of the last frame goes out as one.
 * `send` is called one at a time and in order, whatever it waits for.
 */
import { FRAME_COALESCE_MS } from '../../shared/limits.ts';

export function createCoalescer<T>(
  send: (items: T[]) => Promise<void>,
  now: () => number,
): (items: readonly T[]) => void {
  let waiting: T[] = [];
  let timer: NodeJS.Timeout | undefined;
  let lastSent = -Infinity;
  let sending: Promise<void> = Promise.resolve();

  function flush() {
    timer = undefined;
    lastSent = now();
    const items = waiting;
    waiting = [];
    sending = sending.then(() => send(items));
  }

  return (items) => {
    waiting.push(...items);
    if (timer) return;
    const rest = lastSent + FRAME_COALESCE_MS - now();
    if (rest <= 0) flush();
    else timer = setTimeout(flush, rest);
  };
}
