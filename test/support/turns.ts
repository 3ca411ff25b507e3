/**
 * How much is done in one turn of the event loop, counted and not timed, so that it holds on a busy machine. A turn ends
 * where `setImmediate` calls back.
 */
export function turnsOf() {
  let [current, most, isCounting] = [0, 0, false];
  return {
    count(amount = 1): void {
      current += amount;
      most = Math.max(most, current);
      if (isCounting) return;
      isCounting = true;
      setImmediate(() => {
        current = 0;
        isCounting = false;
      });
    },
    /** The most that was counted in one turn. */
    most: () => most,
  };
}
