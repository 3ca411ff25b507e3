/** Time, as an argument: tests pass a fake clock and need not wait. */
export interface Clock {
  /** Milliseconds since 1970 by the device's clock, which may be wrong and may jump: only for display. */
  now(): number;
  /** Monotonic milliseconds, for measuring durations. */
  ticks(): number;
  setTimeout(callback: () => void, ms: number): Timer;
  clearTimeout(timer: Timer): void;
}

export type Timer = number | object;

/** The real clock, in a page or a worker. */
export const deviceClock: Clock = {
  now: () => Date.now(),
  ticks: () => performance.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (timer) => clearTimeout(timer as number),
};
