/**
 * An outbox row: one action of the user (a text, an edit, a deletion …) that the server has not acknowledged yet. It is
 * deleted in the transaction that stores its entry. Pure: the state machine of one row, and predicates over rows.
 */
import { featureFor, ruleOf } from '../../shared/kinds.ts';
import { assertNever } from '../../shared/never.ts';
import type { Item, WireError } from '../../shared/protocol/index.ts';
import { checkBody } from '../../shared/text.ts';
import { type Reason, reasonOf } from './errorReason.ts';
import { PARK_AFTER_INTERNAL } from './pageLimits.ts';

export type Row = Content & {
  /** Primary key. Rows are sent in this order. */
  seq: number;
  room: string;
  clientOffset: string;
  /** When it was queued: ms since 1970, by the device's clock. */
  at: number;
  state: RowState;
  /** It may have reached the server under this key. From then on its content never changes in place (O4). */
  attempted: boolean;
  /** Consecutive answers that did not say whether the entry was stored (`internal`). */
  failures: number;
  /** Its key was already replaced once, after a `conflict`. */
  rekeyed: boolean;
  /** It is sent only to a server that lists this feature. Stored, for app versions that do not know what needs it. */
  feature?: string;
  /** Neither a message nor an amendment, so it shows only if sending fails. The index `unshown` finds these rows. */
  unshown?: 1;
};

/** The content of an item, of any kind. */
export interface Content {
  kind: string;
  body?: string;
  /** The clientOffset of the message that it refers to. */
  target?: string;
  /** The author of the target, if the item names one. */
  targetAuthor?: string;
  /** The serverOffset of the target, once known. Of a reply: of the message that it answers, as the screen had it. */
  targetOffset?: number;
  /** All other fields of the item. */
  fields?: Readonly<Record<string, unknown>>;
}

/** A row that refers to a message; the message may be an earlier row. */
export type Follower = Row & { target: string };

export type RowState =
  | { tag: 'queued' }
  | { tag: 'sending' }
  /** Sent, but not acknowledged. It is sent again under the same key. */
  | { tag: 'checking' }
  /** Not sent again by itself. `uncertain`: the log may contain it, so Edit and Delete queue a row behind it. */
  | { tag: 'parked'; reason: Reason; uncertain: boolean };

export type RowEvent =
  | { type: 'attempted' }
  | { type: 'unanswered' }
  | { type: 'put-off' }
  | { type: 'uncertain'; error: WireError }
  | { type: 'refused'; error: WireError; newKey: string };

/** An item before it is queued: it has no row yet. */
export type NewItem = Content & { room: string; clientOffset: string; at: number };

/** A new row. Text that the server would certainly refuse is parked at once, so no frame exceeds the size limit. */
export function newRow(item: NewItem): Omit<Row, 'seq'> {
  const row = { ...item, state: firstState(item), attempted: false, failures: 0, rekeyed: false };
  const feature = featureFor(item.kind, item.fields, item.room);
  return {
    ...row,
    ...(feature === undefined ? {} : { feature }),
    ...(isMessageRow(item) || isAmendmentRow(item) ? {} : { unshown: 1 }),
  };
}

/** The row after the event. Deletion is not decided here: an acknowledgement or an echo deletes a row in any state. */
export function applyRowEvent(row: Row, event: RowEvent): Row {
  switch (event.type) {
    case 'attempted':
      return asAttempted(row);
    case 'unanswered': // the answer may have been lost: neither a failure nor a success (O3)
      return row.state.tag === 'sending' ? { ...row, state: { tag: 'checking' } } : row;
    case 'put-off':
      return row.state.tag === 'parked' ? row : { ...row, state: { tag: 'queued' } };
    case 'uncertain': {
      const failures = row.failures + 1;
      if (failures < PARK_AFTER_INTERNAL) return { ...row, failures, state: { tag: 'queued' } };
      return { ...row, failures, state: { tag: 'parked', reason: reasonOf(event.error), uncertain: true } };
    }
    case 'refused':
      if (event.error.code === 'conflict' && !row.rekeyed) return rekeyed(row, event.newKey);
      return { ...row, state: { tag: 'parked', reason: reasonOf(event.error), uncertain: false } };
    default:
      return assertNever(event);
  }
}

/** The parked row as it is tried again. Apart from the events, so that the service worker has no code that checks texts. */
export function retried(row: Row): Row {
  return { ...row, failures: 0, state: firstState(row) };
}

/** The row while it is being sent. */
export function asAttempted<R extends Row>(row: R): R {
  return { ...row, attempted: true, state: { tag: 'sending' } };
}

/** The item to send: exactly what was queued. */
export function itemOf({ room, clientOffset, kind, body, target, targetAuthor, fields }: Row): Item {
  return {
    ...fields,
    room,
    clientOffset,
    kind,
    ...(body === undefined ? {} : { body }),
    ...(target === undefined
      ? {}
      : { target: targetAuthor === undefined ? target : { author: targetAuthor, clientOffset: target } }),
  };
}

/** The row renders as a message, like its entry later. */
export function isMessageRow({ kind, target }: Pick<Row, 'kind' | 'target'>): boolean {
  return ruleOf(kind)?.message ?? target === undefined;
}

/** The row replaces or removes the content of another message. */
export function isAmendmentRow<R extends Pick<Row, 'kind' | 'target'>>(
  row: R,
): row is R & { target: string } {
  return isReplacementRow(row) || isRemovalRow(row);
}

export function isReplacementRow<R extends Pick<Row, 'kind' | 'target'>>(
  row: R,
): row is R & { target: string } {
  return row.target !== undefined && ruleOf(row.kind)?.effect === 'replace';
}

export function isRemovalRow<R extends Pick<Row, 'kind' | 'target'>>(row: R): row is R & { target: string } {
  return row.target !== undefined && ruleOf(row.kind)?.effect === 'remove';
}

/** The row is counted for a message, with others of its kind. */
export function isCountedRow<R extends Pick<Row, 'kind' | 'target'>>(row: R): row is R & { target: string } {
  return row.target !== undefined && ruleOf(row.kind)?.effect === 'aggregate';
}

/** The row makes its room: all other rows of the room wait for it. */
export function isCreationRow({ kind }: Pick<Row, 'kind'>): boolean {
  return ruleOf(kind)?.membership !== undefined; // no other kind that is sent
}

/** The drain still has to send it. */
export function isWaiting(row: Row): boolean {
  return row.state.tag !== 'parked';
}

/** Parked, and the log may contain it. */
export function isUncertain({ state }: Row): boolean {
  return state.tag === 'parked' && state.uncertain;
}

/** Parked, and the log does not contain it. */
export function isRefused({ state }: Row): boolean {
  return state.tag === 'parked' && !state.uncertain;
}

/** Never sent, or refused: no other device can have seen it. */
export function isUnsent(row: Row): boolean {
  return isWaiting(row) ? !row.attempted : isRefused(row);
}

/** It may have reached the server, and is sent again until the server says. */
export function isUnderWay(row: Row): boolean {
  return row.attempted && isWaiting(row);
}

/**
 * Failed rows that later rows of the same room make obsolete: a refused message that a removal follows, with all its
 * amendments; and a parked replacement that a later amendment of the same message follows. `rows`, ascending: the room's
 * rows with a target, and the messages that removals among them refer to.
 */
export function obsoleteRows(rows: readonly Row[]): Row[] {
  const lastAmendment = new Map<string, number>();
  const removed = new Set<string>();
  for (const row of rows) {
    if (isAmendmentRow(row)) lastAmendment.set(row.target, row.seq);
    if (isRemovalRow(row)) removed.add(row.target);
  }
  const withdrawn = new Set(
    rows.flatMap((row) =>
      isRefused(row) && isMessageRow(row) && removed.has(row.clientOffset) ? row.clientOffset : [],
    ),
  );
  return rows.filter((row) => {
    if (isMessageRow(row)) return withdrawn.has(row.clientOffset);
    if (row.target === undefined) return false;
    if (withdrawn.has(row.target)) return true;
    return isReplacementRow(row) && row.state.tag === 'parked' && row.seq < lastAmendment.get(row.target)!;
  });
}

/** The distinct rooms of these rows. */
export function roomsOf(rows: readonly Row[]): string[] {
  return [...new Set(rows.map((row) => row.room))];
}

function rekeyed(row: Row, newKey: string): Row {
  return {
    ...row,
    clientOffset: newKey,
    rekeyed: true,
    attempted: false,
    failures: 0,
    state: { tag: 'queued' },
  };
}

function firstState({ body }: Content): RowState {
  if (body === undefined) return { tag: 'queued' };
  const checked = checkBody(body);
  if (checked.ok) return { tag: 'queued' };
  return { tag: 'parked', reason: { code: checked.code, message: checked.message }, uncertain: false };
}
