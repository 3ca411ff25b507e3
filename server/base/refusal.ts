/**
 * The errors that are expected, and the one place that turns any thrown error into its form on the wire.
 * `RefusedError`: the request is refused. `Unavailable`: try again later. `Unusable`: the process cannot run.
 * Everything else is a bug: clients see `internal`, the log has the details.
 */
import type { ErrorCode, Refusal, RefusalReason, WireError } from '../../shared/protocol/index.ts';

/** A request is refused with an error code of docs/PROTOCOL.md. `retryAfter` in milliseconds. `reason` refines the code. */
export class RefusedError extends Error {
  readonly code: ErrorCode;
  readonly retryAfter: number | undefined;
  readonly reason: RefusalReason | undefined;
  constructor(code: ErrorCode, message: string, retryAfter?: number, reason?: RefusalReason) {
    super(message);
    this.name = 'RefusedError';
    this.code = code;
    this.retryAfter = retryAfter;
    this.reason = reason;
  }
}

/**
 * A transient error: the store cannot be reached, or it is unknown whether a write was done. Safe to try again, since
 * writes are idempotent by their key. `retryAfter` in milliseconds.
 */
export class Unavailable extends Error {
  readonly retryAfter: number;
  constructor(message: string, retryAfter = 1_000) {
    super(message);
    this.name = 'Unavailable';
    this.retryAfter = retryAfter;
  }
}

/** The database cannot be used as it is. The message tells the operator what to do; the process exits with it. */
export class Unusable extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Unusable';
  }
}

/** Converts anything thrown. The text of an unexpected error is not sent: it may hold private data. */
export function toWireError(error: unknown): WireError & { code: ErrorCode } {
  if (error instanceof RefusedError) {
    const { code, message, retryAfter, reason } = error;
    return { ...wireError(code, message, retryAfter), ...(reason !== undefined && { reason }) };
  }
  if (error instanceof Unavailable) return wireError('unavailable', error.message, error.retryAfter);
  return wireError('internal', 'Something went wrong on the server. It was logged; try again.');
}

export function wireError(
  code: ErrorCode,
  message: string,
  retryAfter?: number,
): WireError & { code: ErrorCode } {
  const text = message.length > MESSAGE_MAX_LENGTH ? `${message.slice(0, MESSAGE_MAX_LENGTH - 1)}…` : message;
  return retryAfter === undefined ? { code, message: text } : { code, message: text, retryAfter };
}

/** In UTF-16 units. With its code and its braces an error on the wire stays below 300 bytes. */
const MESSAGE_MAX_LENGTH = 200;

export function refusal(error: WireError): Refusal {
  return { ok: false, error };
}

/** True for an error that is neither a refusal nor transient: a bug that has to be logged. */
export function isUnexpected(error: unknown): boolean {
  return !(error instanceof RefusedError || error instanceof Unavailable);
}
