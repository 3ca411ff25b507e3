/** Selects the rows of the next append, and adapts the size of a batch to the network. Pure. */
import { ruleOf } from '../../shared/kinds.ts';
import { BATCH_BYTES, BATCH_MAX_BYTES, BATCH_MIN_BYTES } from '../records/pageLimits.ts';
import { isRefused, isWaiting, itemOf, type Row } from '../records/row.ts';

export interface BatchLimits {
  items: number;
  bytes: number;
}

/** Which rows are not sent now. */
export interface HeldBack {
  /** The server's features. A row that needs another one waits, and so do later rows of its room. */
  features: ReadonlySet<string>;
  /** Rooms whose rows wait. */
  rooms: ReadonlySet<string>;
}

/** For finding the item because of which a whole request was refused. */
export const ONE_ITEM: BatchLimits = { items: 1, bytes: 0 };

export interface AppendBatch {
  readonly rows: readonly Row[];
  readonly bytes: number;
  /** Adds the next row in order, or skips it. False if the batch is complete without it. */
  offer(row: Row): boolean;
}

/**
 * A batch of waiting rows in order, from the oldest (L5); at least one, whatever its size. A row is never in one batch with
 * its own target: the target's verdict decides under which key the row is sent, if at all.
 */
export function createAppendBatch(limits: BatchLimits, { features, rooms }: HeldBack): AppendBatch {
  const rows: Row[] = [];
  const refused = new Set<string>(); // complete: a target is always queued before its followers
  const stopped = new Set(rooms);
  let bytes = 0;

  return {
    rows,
    get bytes() {
      return bytes;
    },
    offer(row) {
      if (isRefused(row)) refused.add(row.clientOffset);
      if (!isWaiting(row) || (row.target !== undefined && refused.has(row.target))) return true;
      const feature = featureOf(row);
      if (feature !== undefined && !features.has(feature)) stopped.add(row.room);
      if (stopped.has(row.room)) return true;
      const itsBytes = bytesOf(row);
      if (rows.length > 0 && (rows.length >= limits.items || bytes + itsBytes > limits.bytes)) return false;
      if (row.target !== undefined && rows.some((before) => before.clientOffset === row.target)) return false;
      rows.push(row);
      bytes += itsBytes;
      return true;
    },
  };
}

/** The next batch of these rows. */
export function nextBatch(
  rows: readonly Row[],
  limits: BatchLimits,
  heldBack = NOTHING_HELD_BACK,
): readonly Row[] {
  const batch = createAppendBatch(limits, heldBack);
  rows.every((row) => batch.offer(row));
  return batch.rows;
}

const NOTHING_HELD_BACK: HeldBack = { features: new Set(), rooms: new Set() };

/** Bytes of the item on the wire. */
function bytesOf(row: Row): number {
  return new TextEncoder().encode(JSON.stringify(itemOf(row))).length;
}

/** The feature that the row's kind needs. For a kind that this version does not know, the version that queued it stored it. */
function featureOf({ kind, feature }: Row): string | undefined {
  const rule = ruleOf(kind);
  return rule ? rule.feature : feature;
}

export const FIRST_BATCH_BYTES = BATCH_BYTES;

/** Doubles after an answer, whatever it says, if the batch was at least half full. */
export function batchBytesAfterAnswer(batchBytes: number, sentBytes: number): number {
  return sentBytes * 2 < batchBytes ? batchBytes : Math.min(BATCH_MAX_BYTES, batchBytes * 2);
}

/** Halves after a timeout, or when the connection ended without an answer. */
export function batchBytesAfterTimeout(batchBytes: number): number {
  return Math.max(BATCH_MIN_BYTES, batchBytes / 2);
}
