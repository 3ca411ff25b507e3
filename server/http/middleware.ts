/**
 * The middleware around all routes, outermost first: error answers, then health checks and CORS. Every error leaves in one
 * shape, `{ ok: false, error }`, with the status of its code.
 */
import type { Context, Middleware } from 'koa';
import { ERROR_STATUS, type ErrorCode, type WireError } from '../../shared/protocol/index.ts';
import type { Audit } from '../base/audit.ts';
import type { Logger } from '../base/logger.ts';
import type { Metrics } from '../base/metrics.ts';
import { isUnexpected, RefusedError, refusal, toWireError } from '../base/refusal.ts';
import { addressKey } from '../limits/addressKey.ts';
import { CORS_METHODS, corsHeaders, isPreflight } from '../request/corsHeaders.ts';
import { type HostCheck, MISDIRECTED_STATUS } from '../request/hostCheck.ts';
import type { RequestContext } from '../request/requestContext.ts';

/** `ctx.state`: set by the first middleware for the next ones. */
export interface State {
  requestContext: RequestContext;
  /** By which the log names the request. */
  requestId: string;
  /** Of an acknowledgement: the error codes in it. */
  codes?: readonly string[];
}

export type HttpMiddleware = Middleware<State>;
export type HttpContext = Parameters<HttpMiddleware>[0] & Context;

export function isApi(path: string): boolean {
  return path === '/api' || path.startsWith('/api/');
}

/** The outermost middleware: gives each request an id, and logs a line at `debug`. Never its path, which may name a room. */
export function logRequests(logger: Logger): HttpMiddleware {
  const isLogged = logger.isLevelEnabled('debug');
  let before = 0;
  return async (ctx, next) => {
    const id = `http/${++before}`;
    ctx.state.requestId = id;
    const begun = performance.now();
    await next();
    if (!isLogged) return;
    const { method, status } = ctx;
    const { codes = [] } = ctx.state;
    const ms = Math.round(performance.now() - begun);
    const code = codes.length > 0 ? { code: codes.join(' ') } : {};
    logger.debug({ id, request: eventOf(ctx), method, status, ...code, ms }, 'request');
  };
}

/** An unexpected error is logged with its stack and answered without its text. */
export function answerErrors({ metrics, logger }: { metrics: Metrics; logger: Logger }): HttpMiddleware {
  return async (ctx, next) => {
    try {
      await next();
    } catch (thrown) {
      const error = fromKoa(thrown) ?? thrown;
      if (isUnexpected(error))
        logger.error(
          { err: error, id: ctx.state.requestId, request: eventOf(ctx), method: ctx.method },
          'HTTP request failed',
        );
      const wire = toWireError(error);
      metrics.refusals.inc({ event: eventOf(ctx), code: wire.code });
      answerWith(ctx, wire);
    }
  };
}

/** Answers with this error. A code that this version does not know has the status 500. */
export function answerWith(ctx: Context, error: WireError): void {
  const status = Object.hasOwn(ERROR_STATUS, error.code) ? ERROR_STATUS[error.code as ErrorCode] : 500;
  ctx.status = status;
  ctx.set('Cache-Control', 'no-store');
  if (status === 429 || status === 503) {
    ctx.set('Retry-After', String(Math.max(1, Math.ceil((error.retryAfter ?? 1_000) / 1_000)))); // in seconds
  }
  ctx.body = refusal(error);
}

/** The metrics label `event` of a request: the name of its route. Never its path, which has unbounded cardinality. */
export function eventOf(ctx: Context): string {
  return typeof ctx._matchedRouteName === 'string' ? ctx._matchedRouteName : 'other';
}

/** Koa throws an error with status 400 for a request that it cannot parse, such as a malformed URL. */
function fromKoa(error: unknown): RefusedError | undefined {
  const status = error instanceof Error && 'status' in error ? error.status : undefined;
  return status === 400 ? new RefusedError('invalid', 'The request is malformed.') : undefined;
}

/** For load balancers. `/healthz`: the process is alive. `/readyz`: it can handle requests, else 503. */
export function health(isReady: () => Promise<boolean>): HttpMiddleware {
  return async (ctx, next) => {
    const path = ctx.method === 'GET' || ctx.method === 'HEAD' ? ctx.path : '';
    if (path !== '/healthz' && path !== '/readyz') return next();
    ctx.set('Cache-Control', 'no-store');
    if (path === '/healthz' || (await isReady().catch(() => false))) ctx.body = { ok: true };
    else
      answerWith(ctx, {
        code: 'unavailable',
        message: 'The store does not answer, or its tail is not open.',
      });
  };
}

/** Refuses requests under a name that this server does not have, with a sentence for whoever opened the page. */
export function refuseForeignHosts(
  hosts: HostCheck,
  { metrics, audit }: { metrics: Metrics; audit: Audit },
): HttpMiddleware {
  return (ctx, next) => {
    const { host, address } = ctx.state.requestContext;
    if (hosts.isOwn(host)) return next();
    metrics.refusals.inc({ event: 'other', code: 'unknown-host' });
    audit.record('connection', { address: addressKey(address), code: 'unknown-host' });
    answerWith(ctx, { code: 'unavailable', message: hosts.sentence });
    ctx.remove('Retry-After');
    ctx.status = MISDIRECTED_STATUS;
    if (!isApi(ctx.path)) {
      ctx.type = 'text';
      ctx.body = `${hosts.sentence}\n`;
    }
    return undefined;
  };
}

/** CORS for the pages in `ALLOWED_ORIGINS`. With none configured, no CORS header is ever sent. */
export function cors(allowedOrigins: readonly string[]): HttpMiddleware {
  if (allowedOrigins.length === 0) return (_ctx, next) => next();

  return async (ctx, next) => {
    const { Vary, ...headers } = corsHeaders(allowedOrigins, ctx.req);
    if (Vary) ctx.vary(Vary);
    ctx.set(headers);
    if (!isPreflight(allowedOrigins, ctx.req)) return next();
    ctx.set('Access-Control-Allow-Methods', CORS_METHODS);
    ctx.set('Access-Control-Allow-Headers', 'Authorization, Content-Type');
    ctx.set('Access-Control-Max-Age', '600');
    ctx.status = 204;
  };
}
