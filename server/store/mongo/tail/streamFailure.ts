/**
 * Classifies why a change stream ended, and decides where and when it is opened again. Pure. For streamLoop.ts; the rest of
 * the adapter asks `isUnreachable` whether an error means that the database cannot be reached.
 */
import { MongoError, MongoNetworkError, MongoServerSelectionError } from 'mongodb';
import { isSocketError } from '../base/faults.ts';

/** Where a change stream is opened. */
export type StreamPosition<Time = unknown> =
  /** After the change that has this resume token. */
  | { tag: 'token'; token: string }
  | { tag: 'time'; time: Time }
  /** At what is committed when the stream is opened. */
  | { tag: 'present' };

export type StreamFailure =
  /** The database or the network failed. The position stays valid and is used again when the database is back. */
  | 'unreachable'
  /** No answer in time. To resume, a server reads its oplog from the position on, for as long as that takes (SERVER-48526). */
  | 'stalled'
  /** The position is not valid any more, or the collection was replaced. */
  | 'refused'
  | 'unexpected';

/** No round ended in time: a stream can stop without an error. */
export class StreamStalled extends Error {}
/** The collection was dropped or renamed. */
export class StreamEnded extends Error {}
/** The stream does not bring an entry that was acknowledged, though it says that there is nothing more. */
export class EntryMissing extends Error {}

export function failureOf(error: unknown): StreamFailure {
  if (error instanceof StreamStalled) return 'stalled';
  if (error instanceof StreamEnded || error instanceof EntryMissing) return 'refused';
  if (isSocketError(error)) return 'unreachable';
  if (error instanceof MongoNetworkError || error instanceof MongoServerSelectionError) return 'unreachable';
  if (error instanceof Error && error.name === NO_FREE_CONNECTION) return 'unreachable';
  if (!(error instanceof MongoError)) return 'unexpected';
  if (UNREACHABLE.has(error.code) || error.hasErrorLabel('ResumableChangeStreamError')) return 'unreachable';
  return REFUSED.has(error.code) ? 'refused' : 'unexpected';
}

/** The driver does not export the class. */
const NO_FREE_CONNECTION = 'MongoWaitQueueTimeoutError';

/** True where the database or the network to it does not answer at the moment. */
export function isUnreachable(error: unknown): boolean {
  const failure = failureOf(error);
  return failure === 'unreachable' || failure === 'stalled';
}

export interface FailureHistory {
  /** Failures since a stream last worked. */
  inARow: number;
  /** Those of them that are stalls. */
  stalls: number;
  /** Position of the last stall, and how many there were at this position. */
  stalledAt: StreamPosition | undefined;
  stallsThere: number;
  /** Position of the last unexpected failure. A second one at the same position means that the position is the cause. */
  unexpectedAt: StreamPosition | undefined;
}

export const NO_FAILURES: FailureHistory = {
  inARow: 0,
  stalls: 0,
  stalledAt: undefined,
  stallsThere: 0,
  unexpectedAt: undefined,
};

/** A stream that works finishes a round each second. Without one for this long it is treated as dead. */
export const STALL_MS = 5_000;
const LONGEST_STALL_MS = 40_000;
/** A position at which the stream has stalled this often is given up, for the present. */
const STALLS_AT_ONE_POSITION = 3;

/** How long to wait for a round: longer after each stall, since the server starts anew each time. */
export function stallAfterMs({ stalls }: FailureHistory): number {
  return Math.min(LONGEST_STALL_MS, STALL_MS * 2 ** stalls);
}

export interface NextTry {
  failures: FailureHistory;
  from: 'same' | 'present';
  waitMs: number;
}

/**
 * Exponential backoff with jitter: the first retry is immediate. `random` is from 0 to 1, so that processes that lost the
 * same database do not all come back at once.
 */
export function afterFailure(
  before: FailureHistory,
  failure: StreamFailure,
  position: StreamPosition,
  random: number,
): NextTry {
  const inARow = before.inARow + 1;
  const again = failure === 'unexpected' && isSame(before.unexpectedAt, position);
  const stalled = failure === 'stalled' && {
    stalls: before.stalls + 1,
    stalledAt: position,
    stallsThere: isSame(before.stalledAt, position) ? before.stallsThere + 1 : 1,
  };
  const isStuck = stalled && stalled.stallsThere >= STALLS_AT_ONE_POSITION;
  return {
    failures: {
      ...before,
      ...(stalled || {}),
      inARow,
      unexpectedAt: failure === 'unexpected' ? position : before.unexpectedAt,
    },
    from: failure === 'refused' || again || isStuck ? 'present' : 'same',
    waitMs:
      inARow === 1 ? 0 : Math.min(LONGEST_WAIT_MS, SHORTEST_WAIT_MS * 2 ** (inARow - 2)) * (0.5 + random / 2),
  };
}

const SHORTEST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 2_000;

function isSame(a: StreamPosition | undefined, b: StreamPosition): boolean {
  return a === b || (a?.tag === 'token' && b.tag === 'token' && a.token === b.token);
}

type Codes = ReadonlySet<unknown>;

/** Elections, shutdowns and network errors: what the drivers' specification calls resumable, and lost cursors. */
const UNREACHABLE: Codes = new Set([
  6, // HostUnreachable
  7, // HostNotFound
  43, // CursorNotFound: another primary, or the same one after a restart
  63, // StaleShardVersion
  89, // NetworkTimeout
  91, // ShutdownInProgress
  133, // FailedToSatisfyReadPreference
  150, // StaleEpoch
  189, // PrimarySteppedDown
  234, // RetryChangeStream
  262, // ExceededTimeLimit
  9001, // SocketException
  10_058, // LegacyNotPrimary
  10_107, // NotWritablePrimary
  11_600, // InterruptedAtShutdown
  11_602, // InterruptedDueToReplStateChange
  13_388, // StaleConfig
  13_435, // NotPrimaryNoSecondaryOk
  13_436, // NotPrimaryOrSecondary
]);

const REFUSED: Codes = new Set([
  9, // FailedToParse: not a token of this server
  136, // CappedPositionLost
  222, // CloseChangeStream
  260, // InvalidResumeToken
  280, // ChangeStreamFatalError
  286, // ChangeStreamHistoryLost: older than the oplog
  40_647, // not a token of this server
]);
