/** One thing a person did that the server has not confirmed yet. It is gone once its entry is stored. Pure. */
import { ruleOf } from '../../shared/kinds.ts';
import { assertNever } from '../../shared/never.ts';
import type { Item, WireError } from '../../shared/protocol/index.ts';
import { checkBody } from '../../shared/text.ts';
import { PARK_AFTER_INTERNAL } from '../records/pageLimits.ts';
import type { Reason } from '../state/model.ts';

export type Row = Content & {
  /** Its place in the order of sending. */
  seq: number;
  room: string;
  clientOffset: string;
  /** When it was queued, by the device's clock. */
  at: number;
  state: RowState;
  /** True once it may have reached the server under this key: its content is never changed in place again (O4). */
  attempted: boolean;
  /** Answers in a row that left its fate open (`internal`). */
  failures: number;
  /** A conflict was already answered by a new key. */
  rekeyed: boolean;
  /** It waits for a server that lists this feature. Stored, so that a version without its kind knows it too. */
  feature?: string;
  /** Neither a message nor a change of one: only shown where it was not sent. An index tells these rows. */
  unshown?: 1;
};

/** What is queued, of whichever kind. */
export interface Content {
  kind: string;
  body?: string;
  /** The clientOffset of the message that it is about. */
  target?: string;
  /** Whose message that is, where the item names its author. */
  targetAuthor?: string;
  /** The serverOffset of the target, once that is known. */
  targetOffset?: number;
  /** All other fields of the item. */
  fields?: Readonly<Record<string, unknown>>;
}

/** A row that is about a message, which may be queued before it. */
export type Follower = Row & { target: string };

export type RowState =
  | { tag: 'queued' }
  | { tag: 'sending' }
  /** Sent but not confirmed. */
  | { tag: 'checking' }
  /** `uncertain`: it may be in the log all the same, so Edit and Delete queue behind it. */
  | { tag: 'parked'; reason: Reason; uncertain: boolean };

export type RowEvent =
  | { type: 'attempted' }
  | { type: 'unanswered' }
  | { type: 'put-off' }
  | { type: 'uncertain'; error: WireError }
  | { type: 'refused'; error: WireError; newKey: string }
  | { type: 'retried' };

export type Draft = Content & { room: string; clientOffset: string; at: number };

/** A row as it begins. What the server would surely refuse is parked at once, so that no frame is too large to send. */
export function newRow(draft: Draft): Omit<Row, 'seq'> {
  const row = { ...draft, state: firstState(draft), attempted: false, failures: 0, rekeyed: false };
  const feature = ruleOf(draft.kind)?.feature;
  return {
    ...row,
    ...(feature === undefined ? {} : { feature }),
    ...(isMessageRow(draft) || isChange(draft) ? {} : { unshown: 1 }),
  };
}

/** The row after the event. Only an acknowledgement or an echo ends a row, in any state; that is not decided here. */
export function step(row: Row, event: RowEvent): Row {
  switch (event.type) {
    case 'attempted':
      return { ...row, attempted: true, state: { tag: 'sending' } };
    case 'unanswered': // the answer may have been lost on its way: not a failure, not a success (O3)
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
    case 'retried':
      return { ...row, failures: 0, state: firstState(row) };
    default:
      return assertNever(event);
  }
}

/** Exactly the item that was queued. */
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

/** Shown as a message of its own, as its entry will be. */
export function isMessageRow({ kind, target }: Pick<Row, 'kind' | 'target'>): boolean {
  return ruleOf(kind)?.message ?? target === undefined;
}

/** It replaces or removes what another message says. */
export function isChange<R extends Pick<Row, 'kind' | 'target'>>(row: R): row is R & { target: string } {
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

export function isWaiting(row: Row): boolean {
  return row.state.tag !== 'parked';
}

/** Parked as one that may be in the log all the same. */
export function isUncertain({ state }: Row): boolean {
  return state.tag === 'parked' && state.uncertain;
}

/** Parked as one that is in no log. */
export function isRefused({ state }: Row): boolean {
  return state.tag === 'parked' && !state.uncertain;
}

/** Never under way, or refused for good: nobody else can have it. */
export function isUnsent(row: Row): boolean {
  return isWaiting(row) ? !row.attempted : isRefused(row);
}

/** It may have reached the server, and will be sent again until that is known. */
export function isUnderWay(row: Row): boolean {
  return row.attempted && isWaiting(row);
}

/**
 * Of the rows about messages that are queued in a room, in order, and the messages that they remove, those that were not
 * sent and that nobody wants any more: a message with its removal behind it and all that was to change it, and a
 * replacement with a later change of the same message.
 */
export function uselessOf(rows: readonly Row[]): Row[] {
  const lastChange = new Map<string, number>();
  const removed = new Set<string>();
  for (const row of rows) {
    if (isChange(row)) lastChange.set(row.target, row.seq);
    if (isRemovalRow(row)) removed.add(row.target);
  }
  const unwanted = new Set(
    rows.flatMap((row) =>
      isRefused(row) && isMessageRow(row) && removed.has(row.clientOffset) ? row.clientOffset : [],
    ),
  );
  return rows.filter((row) => {
    if (isMessageRow(row)) return unwanted.has(row.clientOffset);
    if (row.target === undefined) return false;
    if (unwanted.has(row.target)) return true;
    return isReplacementRow(row) && row.state.tag === 'parked' && row.seq < lastChange.get(row.target)!;
  });
}

/** The rooms of these, each once. */
export function roomsOf(rows: readonly Row[]): string[] {
  return [...new Set(rows.map((row) => row.room))];
}

export function reasonOf({ code, message }: WireError): Reason {
  return { code, message };
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
