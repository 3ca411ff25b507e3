/** `say`, but at most once in so many milliseconds: what goes wrong for all at once is one line in the log. */
export function seldom<T>(everyMs: number, say: (it: T) => void): (it: T) => void {
  let saidAt = -Infinity;
  return (it) => {
    if (performance.now() - saidAt < everyMs) return;
    saidAt = performance.now();
    say(it);
  };
}
