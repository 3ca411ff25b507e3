/** How long a batch tries: no loop of the algorithm is without an end, and the caller has an answer in good time. */

/** Several times what an unlucky process loses in a row among many; at a few ms each, seconds. */
const LOST_RACES_MAX = 1_000;
/** With nothing moving. An election may take longer; whoever waits is better off with an answer, and asks again. */
const IDLE_MAX_MS = 5_000;
/** What a tail needs on a good day; then the head is read, or those whose tails are slow would never win. */
const WAIT_FIRST_MS = 4;
const WAIT_MAX_MS = 640;

export interface Patience {
  /** How long to wait for the head now; undefined when it is over. */
  waits(): number | undefined;
  /** A race is lost, but the room goes on. */
  headMoved(): void;
  /** Items of the batch were decided. */
  progress(): void;
}

export function createPatience(): Patience {
  let lost = 0;
  let idle = 0;
  let wait = WAIT_FIRST_MS;

  function moving() {
    idle = 0;
    wait = WAIT_FIRST_MS;
  }

  return {
    waits() {
      if (lost >= LOST_RACES_MAX || idle >= IDLE_MAX_MS) return undefined;
      const now = wait;
      idle += now;
      wait = Math.min(2 * wait, WAIT_MAX_MS);
      return now;
    },
    headMoved() {
      lost += 1;
      moving();
    },
    progress() {
      lost = 0;
      moving();
    },
  };
}
