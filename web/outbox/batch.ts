/** What goes into the next append. Pure. */
import { isWaiting, itemOf, type Row } from './row.ts';

export interface Limits {
  items: number;
  bytes: number;
}

/** To find the one item for which a whole request was refused. */
export const ONE_ITEM: Limits = { items: 1, bytes: 0 };

export interface Batch {
  readonly rows: readonly Row[];
  readonly bytes: number;
  /** The next row in order. False when the batch ends before it, and with that for good. */
  offer(row: Row): boolean;
}

/**
 * From the oldest row that waits, in order (L5), at least one. An edit or delete is never in one batch with its own
 * target: what becomes of the target decides under which key the other is sent, if at all.
 */
export function createBatch(limits: Limits): Batch {
  const rows: Row[] = [];
  const refused = new Set<string>(); // a target always stands before what changes it
  let bytes = 0;

  return {
    rows,
    get bytes() {
      return bytes;
    },
    offer(row) {
      if (isRefused(row)) refused.add(row.clientOffset);
      if (!isWaiting(row) || (row.kind !== 'text' && refused.has(row.target))) return true;
      const itsBytes = bytesOf(row);
      if (rows.length > 0 && (rows.length >= limits.items || bytes + itsBytes > limits.bytes)) return false;
      if (row.kind !== 'text' && rows.some((before) => before.clientOffset === row.target)) return false;
      rows.push(row);
      bytes += itsBytes;
      return true;
    },
  };
}

/** The batch of these rows. */
export function nextBatch(rows: readonly Row[], limits: Limits): readonly Row[] {
  const batch = createBatch(limits);
  rows.every((row) => batch.offer(row));
  return batch.rows;
}

/** Bytes that an item takes on the wire. */
function bytesOf(row: Row): number {
  return new TextEncoder().encode(JSON.stringify(itemOf(row))).length;
}

function isRefused(row: Row): boolean {
  return row.state.tag === 'parked' && !row.state.uncertain;
}
