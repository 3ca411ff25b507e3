import { RETRY_FIRST_MS, RETRY_MAX_MS } from '../records/pageLimits.ts';

/** How long to wait after so many failures in a row, in ms: doubling, with jitter so that many do not come at once. */
export function backoff(failures: number, random: () => number): number {
  const most = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** Math.min(failures, 20));
  return most / 2 + (random() * most) / 2;
}

/** What a server asked to wait, and up to half as long again. */
export function jittered(ms: number, random: () => number): number {
  return ms + (random() * ms) / 2;
}
