/** What goes into the next append. Pure. */
import { APPEND_MAX_ITEMS, BATCH_BYTES } from '../../shared/limits.ts';
import { isWaiting, itemOf, type Row } from './row.ts';

export interface Limits {
  items: number;
  bytes: number;
}

export const WHOLE_BATCH: Limits = { items: APPEND_MAX_ITEMS, bytes: BATCH_BYTES };
/** To find the one item for which a whole request was refused. */
export const ONE_ITEM: Limits = { items: 1, bytes: 0 };

/**
 * From the oldest row that waits, in order (L5), at least one. An edit or delete is never in one batch with its own
 * target: what becomes of the target decides under which key the other is sent, if at all.
 */
export function nextBatch(rows: readonly Row[], limits: Limits): Row[] {
  const refused = new Set(rows.filter(isRefused).map((row) => row.clientOffset));
  const batch: Row[] = [];
  let bytes = 0;
  for (const row of rows) {
    if (!isWaiting(row) || (row.kind !== 'text' && refused.has(row.target))) continue;
    bytes += bytesOf(row);
    if (batch.length > 0 && (batch.length >= limits.items || bytes > limits.bytes)) break;
    if (row.kind !== 'text' && batch.some((before) => before.clientOffset === row.target)) break;
    batch.push(row);
  }
  return batch;
}

/** Bytes that an item takes on the wire. */
export function bytesOf(row: Row): number {
  return new TextEncoder().encode(JSON.stringify(itemOf(row))).length;
}

function isRefused(row: Row): boolean {
  return row.state.tag === 'parked' && !row.state.uncertain;
}
