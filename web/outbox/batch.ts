/** What goes into the next append. Pure. */
import { ruleOf } from '../../shared/kinds.ts';
import { isRefused, isWaiting, itemOf, type Row } from './row.ts';

export interface Limits {
  items: number;
  bytes: number;
}

/** What does not go now, whatever else does. */
export interface HeldBack {
  /** Those of the server: a row of another feature waits, and the later rows of its room behind it. */
  features: ReadonlySet<string>;
  rooms: ReadonlySet<string>;
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
 * From the oldest row that waits, in order (L5), at least one. A row is never in one batch with its own target: what
 * becomes of the target decides under which key it is sent, if at all.
 */
export function createBatch(limits: Limits, { features, rooms }: HeldBack): Batch {
  const rows: Row[] = [];
  const refused = new Set<string>(); // a target always stands before what is about it
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

/** The batch of these rows. */
export function nextBatch(
  rows: readonly Row[],
  limits: Limits,
  heldBack = NOTHING_HELD_BACK,
): readonly Row[] {
  const batch = createBatch(limits, heldBack);
  rows.every((row) => batch.offer(row));
  return batch.rows;
}

const NOTHING_HELD_BACK: HeldBack = { features: new Set(), rooms: new Set() };

/** Bytes that an item takes on the wire. */
function bytesOf(row: Row): number {
  return new TextEncoder().encode(JSON.stringify(itemOf(row))).length;
}

/** A kind that this version does not know was queued by one that does, which wrote down what it needs. */
function featureOf({ kind, feature }: Row): string | undefined {
  const rule = ruleOf(kind);
  return rule ? rule.feature : feature;
}
