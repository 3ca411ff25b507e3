/** Why a change stream ended, and what is done about it. Pure. */
import { MongoError, MongoNetworkError, MongoServerSelectionError } from 'mongodb';
import { isOfSocket } from './faults.ts';
import type { Place } from './tailPlace.ts';

export type Failure =
  /** The database, or the way to it: what was heard stands, and the same place is good when it is back. */
  | 'away'
  /** The place is good no more, or the collection is another. */
  | 'refused'
  | 'unexpected';

/** No round ended for too long: a stream can die without a word. */
export class Stalled extends Error {}
/** The collection was dropped or renamed. */
export class Ended extends Error {}
/** Something that was acknowledged does not come, though the stream says that there is nothing more. */
export class Missing extends Error {}

export function failureOf(error: unknown): Failure {
  if (error instanceof Stalled) return 'away';
  if (error instanceof Ended || error instanceof Missing) return 'refused';
  if (isOfSocket(error)) return 'away';
  if (error instanceof MongoNetworkError || error instanceof MongoServerSelectionError) return 'away';
  if (!(error instanceof MongoError)) return 'unexpected';
  if (AWAY.has(error.code) || error.hasErrorLabel('ResumableChangeStreamError')) return 'away';
  return REFUSED.has(error.code) ? 'refused' : 'unexpected';
}

/** The database or the way to it does not answer at the moment. */
export function isAway(error: unknown): boolean {
  return failureOf(error) === 'away';
}

export interface Failures {
  /** Since a stream was last well. */
  inARow: number;
  /** Where something unexpected happened last: twice at the same place, and it is the place that is at fault. */
  unexpectedAt: Place | undefined;
}

export const NO_FAILURES: Failures = { inARow: 0, unexpectedAt: undefined };

export interface NextTry {
  failures: Failures;
  from: 'same' | 'present';
  waitMs: number;
}

/** `random` is from 0 to 1: processes that lost one database do not all come back to it at once. */
export function afterFailure(before: Failures, failure: Failure, place: Place, random: number): NextTry {
  const inARow = before.inARow + 1;
  const again = failure === 'unexpected' && isSame(before.unexpectedAt, place);
  return {
    failures: { inARow, unexpectedAt: failure === 'unexpected' ? place : before.unexpectedAt },
    from: failure === 'refused' || again ? 'present' : 'same',
    waitMs:
      inARow === 1 ? 0 : Math.min(LONGEST_WAIT_MS, SHORTEST_WAIT_MS * 2 ** (inARow - 2)) * (0.5 + random / 2),
  };
}

const SHORTEST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 2_000;

function isSame(a: Place | undefined, b: Place): boolean {
  return a === b || (a?.tag === 'token' && b.tag === 'token' && a.token === b.token);
}

type Codes = ReadonlySet<unknown>;

/** Elections, shutdowns and broken ways. What the drivers' specification calls resumable, and cursors that are gone. */
const AWAY: Codes = new Set([
  6, // HostUnreachable
  7, // HostNotFound
  43, // CursorNotFound: another primary, or the same one started again
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
  286, // ChangeStreamHistoryLost: further back than the oplog
  40_647, // not a token of this server
]);
