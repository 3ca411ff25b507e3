/** Time as an argument, so that tests need not wait. */
export interface Clock {
  /** Milliseconds since 1970 by the device's clock, which may be wrong and may jump: for people to read. */
  now(): number;
  /** Milliseconds that only ever grow: for measuring how long something took. */
  ticks(): number;
  setTimeout(callback: () => void, ms: number): Timer;
  clearTimeout(timer: Timer): void;
}

export type Timer = number | object;

/** The device's own, of a page or of a worker. */
export const deviceClock: Clock = {
  now: () => Date.now(),
  ticks: () => performance.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (timer) => clearTimeout(timer as number),
};
