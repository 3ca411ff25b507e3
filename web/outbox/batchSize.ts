/** How much one append may carry: found out by trying, since no browser says how wide the way up is. Pure. */
import { BATCH_BYTES, BATCH_MAX_BYTES, BATCH_MIN_BYTES } from '../records/pageLimits.ts';

export const FIRST_BATCH_BYTES = BATCH_BYTES;

/** Whatever the answer says, it came in time. Only a batch that was half full at least shows that more would do, too. */
export function afterAnswer(batchBytes: number, sentBytes: number): number {
  return sentBytes * 2 < batchBytes ? batchBytes : Math.min(BATCH_MAX_BYTES, batchBytes * 2);
}

/** No answer in time, or none before the connection went: the half may come through. One item always goes. */
export function afterSilence(batchBytes: number): number {
  return Math.max(BATCH_MIN_BYTES, batchBytes / 2);
}
