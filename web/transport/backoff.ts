import { RETRY_FIRST_MS, RETRY_MAX_MS } from '../records/pageLimits.ts';

/**
 * The delay in ms after so many failures in a row: doubling up to RETRY_MAX_MS, with jitter so that clients spread out.
 */
export function backoff(failures: number, random: () => number): number {
  const most = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** Math.min(failures, 20));
  return most / 2 + (random() * most) / 2;
}

/** The delay that a server ordered, and up to half as long again. */
export function jittered(ms: number, random: () => number): number {
  return ms + (random() * ms) / 2;
}
