/** Errors as values where they are expected, and the one place that turns anything thrown into what goes over the wire. */
import type { ErrorCode, Refusal, WireError } from '../shared/protocol/index.ts';
import { Unavailable } from './store/port.ts';

/** Thrown or returned where a request is refused as docs/PROTOCOL.md says. `retryAfter` in milliseconds. */
export class Refused extends Error {
  readonly code: ErrorCode;
  readonly retryAfter: number | undefined;
  constructor(code: ErrorCode, message: string, retryAfter?: number) {
    super(message);
    this.name = 'Refused';
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/** The wire's form of anything thrown. What is not expected is `internal`, and its text stays in the log. */
export function toWireError(error: unknown): WireError & { code: ErrorCode } {
  if (error instanceof Refused) return wireError(error.code, error.message, error.retryAfter);
  if (error instanceof Unavailable) return wireError('unavailable', error.message, error.retryAfter);
  return wireError('internal', 'Something went wrong here. It has been noted; try again.');
}

export function wireError(
  code: ErrorCode,
  message: string,
  retryAfter?: number,
): WireError & { code: ErrorCode } {
  return retryAfter === undefined ? { code, message } : { code, message, retryAfter };
}

export function refusal(error: WireError): Refusal {
  return { ok: false, error };
}

/** True for what nobody foresaw and somebody should read about. */
export function isUnexpected(error: unknown): boolean {
  return !(error instanceof Refused || error instanceof Unavailable);
}
