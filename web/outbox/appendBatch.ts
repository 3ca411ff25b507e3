/**
 * What goes into an append, and what its answer means: selects the rows of the next append, adapts the size of a batch to
 * the network, and interprets an answer as a verdict for each item, by the table of errors in docs/PROTOCOL.md. Pure.
 */
import { assertNever } from '../../shared/never.ts';
import { classOf } from '../../shared/protocol/codes.ts';
import type { Acknowledgement, Answer, Item, WireError } from '../../shared/protocol/index.ts';
import { BATCH_BYTES, BATCH_MAX_BYTES, BATCH_MIN_BYTES } from '../records/pageLimits.ts';
import { isCreationRow, isRefused, isWaiting, itemOf, type Row } from '../records/row.ts';

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
  /** Rows that wait in a room whose making is parked: they are to be parked, too. */
  readonly withoutRoom: readonly Row[];
  /** Adds the next row in order, or skips it. False if the batch is complete without it. */
  offer(row: Row): boolean;
}

/**
 * A batch of waiting rows in order, from the oldest (L5); at least one, whatever its size. A row is never in one batch with
 * its own target: the target's verdict decides under which key the row is sent, if at all.
 * A room's rows are sent once the row that makes the room is acknowledged: until then the server knows no such room.
 */
export function createAppendBatch(limits: BatchLimits, { features, rooms }: HeldBack): AppendBatch {
  const rows: Row[] = [];
  const refused = new Set<string>(); // complete: a target is always queued before its followers
  const stopped = new Set(rooms);
  const unmade = new Set<string>();
  const withoutRoom: Row[] = [];
  let bytes = 0;

  return {
    rows,
    withoutRoom,
    get bytes() {
      return bytes;
    },
    offer(row) {
      if (isRefused(row)) refused.add(row.clientOffset);
      const { room, target, feature } = row;
      const waits = isWaiting(row);
      if (unmade.has(room)) {
        if (waits) withoutRoom.push(row);
        return true;
      }
      const creates = isCreationRow(row);
      if (creates && !waits) unmade.add(room);
      if (!waits || (target !== undefined && refused.has(target))) return true;
      if (feature !== undefined && !features.has(feature)) stopped.add(room);
      if (stopped.has(room)) return true;
      const itsBytes = bytesOf(row);
      if (rows.length > 0 && (rows.length >= limits.items || bytes + itsBytes > limits.bytes)) return false;
      if (rows.some((before) => before.clientOffset === target)) return false;
      rows.push(row);
      bytes += itsBytes;
      if (creates) stopped.add(room);
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

export const FIRST_BATCH_BYTES = BATCH_BYTES;

/** Doubles after an answer, whatever it says, if the batch was at least half full. */
export function batchBytesAfterAnswer(batchBytes: number, sentBytes: number): number {
  return sentBytes * 2 < batchBytes ? batchBytes : Math.min(BATCH_MAX_BYTES, batchBytes * 2);
}

/** Halves after a timeout, or when the connection ended without an answer. */
export function batchBytesAfterTimeout(batchBytes: number): number {
  return Math.max(BATCH_MIN_BYTES, batchBytes / 2);
}

export type Verdict = { clientOffset: string } & (
  | { type: 'acknowledged'; serverOffset: number; at: number }
  | { type: 'refused'; error: WireError }
  | { type: 'uncertain'; error: WireError }
  | { type: 'put-off' }
  | { type: 'unanswered' }
);

/** How the drain continues after an answer. */
export type Next =
  | { tag: 'on' }
  /** Waits `ms`, or without it the backoff. */
  | { tag: 'pause'; ms: number | undefined }
  /** The whole request was refused, and the item at fault is not known: sends one item at a time. */
  | { tag: 'single' }
  | { tag: 'stop'; why: 'auth' | 'upgrade' };

export interface Judgement {
  verdicts: Verdict[];
  next: Next;
  /** Items with a transient failure: perhaps only their room fails. */
  failing: readonly Failing[];
}

export interface Failing {
  room: string;
  /** The delay that the server ordered. */
  ms: number | undefined;
  /** The server stopped at this item; the cause may be the room or the server. */
  stopped: boolean;
}

/** The part of an item that is judged. */
export type Sent = Pick<Item, 'room' | 'clientOffset'>;

export function judgeAnswer(sent: readonly Sent[], answer: Acknowledgement<'append'>): Judgement {
  return answer.ok ? judgeResults(sent, answer) : judgeRequest(sent, answer.error);
}

export function unanswered(sent: readonly Pick<Sent, 'clientOffset'>[]): Verdict[] {
  return sent.map(({ clientOffset }) => ({ clientOffset, type: 'unanswered' }));
}

function judgeResults(sent: readonly Sent[], { results, stopped }: Answer<'append'>): Judgement {
  if (results.some((result, i) => result.clientOffset !== sent[i]?.clientOffset))
    return judgeRequest(sent, OUT_OF_ORDER);
  return combine(
    sent.map((item, i): Judgement => {
      const result = results[i];
      if (result && 'serverOffset' in result) {
        const { clientOffset, serverOffset, at } = result;
        return judgement({ clientOffset, type: 'acknowledged', serverOffset, at }, ON);
      }
      if (result) return judgeItem(item, result.error);
      if (stopped && i === results.length) return judgeStop(item, stopped);
      return judgement(putOff(item), { tag: 'pause', ms: stopped?.retryAfter });
    }),
  );
}

function judgeRequest(sent: readonly Sent[], error: WireError): Judgement {
  const errorClass = classOf(error.code);
  const isBlamed = errorClass === 'permanent' || errorClass === 'uncertain';
  if (isBlamed && sent.length > 1)
    return { verdicts: sent.map(putOff), next: { tag: 'single' }, failing: [] };
  if (errorClass === 'permanent') return combine(sent.map((item) => judgeItem(item, error)));
  const all = combine(sent.map((item) => judgeStop(item, error)));
  return sent.length > 1 ? { ...all, failing: [] } : all; // of several items, none is known to be the cause
}

/** A transient failure of an item concerns its room; a rate limit concerns the user. */
function judgeItem(item: Sent, error: WireError): Judgement {
  const { clientOffset, room } = item;
  const { code, retryAfter: ms } = error;
  const errorClass = classOf(code);
  switch (errorClass) {
    case 'transient':
      if (code === 'rate-limited') return judgement(putOff(item), { tag: 'pause', ms });
      return judgement(putOff(item), ON, { room, ms, stopped: false });
    case 'uncertain':
      return judgement({ clientOffset, type: 'uncertain', error }, ON, { room, ms, stopped: false });
    case 'auth':
    case 'upgrade':
      return judgement(putOff(item), { tag: 'stop', why: errorClass });
    case 'permanent':
      return judgement({ clientOffset, type: 'refused', error }, ON);
    default:
      return assertNever(errorClass);
  }
}

/** The item at which the server stopped: `stopped` always means a transient error, so the item is not refused. */
function judgeStop(item: Sent, error: WireError): Judgement {
  const { clientOffset, room } = item;
  const { code, retryAfter: ms } = error;
  const errorClass = classOf(code);
  if (errorClass === 'auth' || errorClass === 'upgrade')
    return judgement(putOff(item), { tag: 'stop', why: errorClass });
  const verdict: Verdict =
    errorClass === 'uncertain' ? { clientOffset, type: 'uncertain', error } : putOff(item);
  const failing = code === 'rate-limited' ? undefined : { room, ms, stopped: true };
  return judgement(verdict, { tag: 'pause', ms }, failing);
}

function judgement(verdict: Verdict, next: Next, failing?: Failing): Judgement {
  return { verdicts: [verdict], next, failing: failing ? [failing] : [] };
}

function combine(all: readonly Judgement[]): Judgement {
  return {
    verdicts: all.flatMap(({ verdicts }) => verdicts),
    next: strictestNext(all.map(({ next }) => next)),
    failing: all.flatMap(({ failing }) => failing),
  };
}

function strictestNext(nexts: readonly Next[]): Next {
  const stop = nexts.find((next) => next.tag === 'stop');
  if (stop) return stop;
  const pauses = nexts.filter((next) => next.tag === 'pause');
  if (pauses.length === 0) return ON;
  const serverDelays = pauses.flatMap(({ ms }) => ms ?? []);
  return { tag: 'pause', ms: serverDelays.length > 0 ? Math.max(...serverDelays) : undefined };
}

function putOff({ clientOffset }: Sent): Verdict {
  return { clientOffset, type: 'put-off' };
}

const ON: Next = { tag: 'on' };

const OUT_OF_ORDER: WireError = {
  code: 'unreadable',
  message: 'The results are out of order.',
};
