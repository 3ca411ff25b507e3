/** Everything that goes wrong leaves in one shape: `{ ok: false, error }`, its status, and when to come back. */
import type { Context } from 'koa';
import { ERROR_STATUS, type ErrorCode, type WireError } from '../../shared/protocol/index.ts';
import type { Logger } from '../base/logger.ts';
import type { Metrics } from '../base/metrics.ts';
import { isUnexpected, RefusedError, refusal, toWireError } from '../base/refusal.ts';
import type { Step } from './context.ts';

/** The outermost step. What nobody foresaw is logged whole and answered without its text. */
export function answerErrors({ metrics, logger }: { metrics: Metrics; logger: Logger }): Step {
  return async (ctx, next) => {
    try {
      await next();
    } catch (thrown) {
      const error = fromKoa(thrown) ?? thrown;
      if (isUnexpected(error))
        logger.error({ err: error, method: ctx.method, path: ctx.path }, 'a request failed');
      const wire = toWireError(error);
      metrics.refusals.inc({ event: eventOf(ctx), code: wire.code });
      answerWith(ctx, wire);
    }
  };
}

/** Answers with this error. A code that this version does not know is 500. */
export function answerWith(ctx: Context, error: WireError): void {
  const status = Object.hasOwn(ERROR_STATUS, error.code) ? ERROR_STATUS[error.code as ErrorCode] : 500;
  ctx.status = status;
  ctx.set('Cache-Control', 'no-store');
  if (status === 429 || status === 503) {
    ctx.set('Retry-After', String(Math.max(1, Math.ceil((error.retryAfter ?? 1_000) / 1_000))));
  }
  ctx.body = refusal(error);
}

/** What a request is called in the metrics: by its route, never by its path, of which there are too many. */
export function eventOf(ctx: Context): string {
  return typeof ctx._matchedRouteName === 'string' ? ctx._matchedRouteName : 'other';
}

/** Koa throws its own for what cannot be parsed of a request. */
function fromKoa(error: unknown): RefusedError | undefined {
  const status = error instanceof Error && 'status' in error ? error.status : undefined;
  return status === 400 ? new RefusedError('invalid', 'The request cannot be understood.') : undefined;
}
