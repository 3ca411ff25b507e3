/** One thing a person did that the server has not confirmed yet. It is gone once its entry is stored. Pure. */
import { PARK_AFTER_INTERNAL } from '../../shared/limits.ts';
import { assertNever } from '../../shared/never.ts';
import type { Item, WireError } from '../../shared/protocol/index.ts';
import { checkBody } from '../../shared/text.ts';
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
};

/** `target` is a clientOffset; `targetOffset` the serverOffset of it, once that is known. */
export type Content =
  | { kind: 'text'; body: string }
  | { kind: 'edit'; target: string; targetOffset?: number; body: string }
  | { kind: 'delete'; target: string; targetOffset?: number };

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
  return { ...draft, state: firstState(draft), attempted: false, failures: 0, rekeyed: false };
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

export function itemOf(row: Row): Item {
  const { room, clientOffset } = row;
  switch (row.kind) {
    case 'text':
      return { room, clientOffset, kind: 'text', body: row.body };
    case 'edit':
      return { room, clientOffset, kind: 'edit', target: row.target, body: row.body };
    case 'delete':
      return { room, clientOffset, kind: 'delete', target: row.target };
    default:
      return assertNever(row);
  }
}

export function isWaiting(row: Row): boolean {
  return row.state.tag !== 'parked';
}

/** Parked as one that may be in the log all the same. */
export function isUncertain({ state }: Row): boolean {
  return state.tag === 'parked' && state.uncertain;
}

/** Never under way, or refused for good: nobody else can have it. */
export function isUnsent(row: Row): boolean {
  return row.state.tag === 'parked' ? !row.state.uncertain : !row.attempted;
}

/** It may have reached the server, and will be sent again until that is known. */
export function isUnderWay(row: Row): boolean {
  return row.attempted && isWaiting(row);
}

/**
 * Of the changes that are queued in a room, in order, and the texts that they delete, those that were not sent and that
 * nobody wants any more: a text with its deletion behind it and all that was to change it, and an edit with a later change
 * of the same text.
 */
export function uselessOf(rows: readonly Row[]): Row[] {
  const lastChange = new Map<string, number>();
  const deleted = new Set<string>();
  for (const row of rows) {
    if (row.kind !== 'text') lastChange.set(row.target, row.seq);
    if (row.kind === 'delete') deleted.add(row.target);
  }
  const isRefused = (row: Row) => row.state.tag === 'parked' && !row.state.uncertain;
  const unwanted = new Set(
    rows.flatMap((row) =>
      row.kind === 'text' && isRefused(row) && deleted.has(row.clientOffset) ? row.clientOffset : [],
    ),
  );
  return rows.filter((row) => {
    if (unwanted.has(row.kind === 'text' ? row.clientOffset : row.target)) return true;
    return row.kind === 'edit' && row.state.tag === 'parked' && row.seq < lastChange.get(row.target)!;
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

function firstState(content: Content): RowState {
  if (content.kind === 'delete') return { tag: 'queued' };
  const checked = checkBody(content.body);
  if (checked.ok) return { tag: 'queued' };
  return { tag: 'parked', reason: { code: checked.code, message: checked.message }, uncertain: false };
}
