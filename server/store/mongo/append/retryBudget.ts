/** Retry budget and backoff of one batch: every loop of the append algorithm ends, and callers get an answer in time. */

/** Several times the longest losing streak seen among many processes; at a few ms each, some seconds. */
const MAX_LOST_RACES = 1_000;
/** Total wait without any progress. An election may take longer: the client then gets an answer and retries. */
const MAX_IDLE_MS = 5_000;
/** What the tail normally needs to deliver an entry; after that the head is read, so that processes with slow tails can win too. */
const WAIT_FIRST_MS = 4;
const WAIT_MAX_MS = 640;

export interface RetryBudget {
  /** Milliseconds to wait for the head before the next try; undefined when the budget is spent. */
  nextWaitMs(): number | undefined;
  /** A race was lost, and the head of the room has moved. */
  headMoved(): void;
  /** Items of the batch have got results. */
  progress(): void;
}

export function createRetryBudget(): RetryBudget {
  let lost = 0;
  let idle = 0;
  let wait = WAIT_FIRST_MS;

  function resetBackoff() {
    idle = 0;
    wait = WAIT_FIRST_MS;
  }

  return {
    nextWaitMs() {
      if (lost >= MAX_LOST_RACES || idle >= MAX_IDLE_MS) return undefined;
      const now = wait;
      idle += now;
      wait = Math.min(2 * wait, WAIT_MAX_MS);
      return now;
    },
    headMoved() {
      lost += 1;
      resetBackoff();
    },
    progress() {
      lost = 0;
      resetBackoff();
    },
  };
}
