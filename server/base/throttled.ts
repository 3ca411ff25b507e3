/** A line of the log that would otherwise be written again and again. */

/** `log`, at most once in `everyMs` milliseconds; calls in between are dropped. */
export function throttled<T>(everyMs: number, log: (it: T) => void): (it: T) => void {
  let loggedAt = -Infinity;
  return (it) => {
    if (performance.now() - loggedAt < everyMs) return;
    loggedAt = performance.now();
    log(it);
  };
}
