/**
 * Refuses requests before Koa or Engine.IO sees them, in the shape of all errors: handshakes from foreign pages (403) and
 * under foreign names (421), and requests of an address that makes too many (429). Engine.IO's own answer to a refused upgrade
 * is a 400 without a reason.
 */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Server as NetServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { ERROR_STATUS } from '../../shared/protocol/index.ts';
import type { OnLimit } from '../base/audit.ts';
import { refusal, wireError } from '../base/refusal.ts';
import { URL_MAX_LENGTH } from '../base/serverLimits.ts';
import type { Limiter } from '../limits/limiter.ts';
import { CORS_METHODS, corsHeaders, isPreflight } from './corsHeaders.ts';
import { MISDIRECTED_STATUS } from './hostCheck.ts';
import { sessionOf } from './webServer.ts';

export interface EarlyRefusal {
  status: number;
  /** In milliseconds. */
  retryAfter?: number;
  /** JSON. */
  body: string;
}

/**
 * Runs before every listener that `http` has at the moment. `refusalOf` is called for each request and each upgrade. A page of
 * `allowedOrigins` may read why: its preflight is answered, and what it then sends is refused.
 */
export function guardRequests(
  http: NetServer,
  allowedOrigins: readonly string[],
  refusalOf: (request: IncomingMessage) => EarlyRefusal | undefined,
): void {
  intercept(http, 'request', (request: IncomingMessage, response: ServerResponse) => {
    if (request.socket.destroyed) return true; // parsed from the same bytes as the request that ended the connection
    const why = refusalOf(request);
    if (!why) return false;
    const session = sessionOf(request);
    const more = { ...(session ? {} : CLOSE), ...corsHeaders(allowedOrigins, request) };
    const closeSession = () => session?.close();
    if (isPreflight(allowedOrigins, request))
      response.writeHead(204, { ...more, ...anything(request) }).end(closeSession);
    else response.writeHead(why.status, headersOf(why, more)).end(why.body, closeSession);
    return true;
  });
  intercept(http, 'upgrade', (request: IncomingMessage, socket: Duplex) => {
    const why = refusalOf(request);
    if (!why) return false;
    const { status, body } = why;
    const headers = { ...headersOf(why, CLOSE), 'Content-Length': Buffer.byteLength(body) };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    socket.on('error', () => {}); // the client may be gone already; an error without a listener would end the process
    socket.end([`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, '', body].join('\r\n'));
    return true;
  });
}

/**
 * For `guardRequests`: refuses requests of an address that makes too many, and URLs that are too long. Each request counts,
 * also one with such a URL: it is answered, too.
 */
export function createRequestBound({
  limiter,
  addressOf,
  onLimit,
}: {
  limiter: Pick<Limiter, 'take'>;
  /** A key of `addressKey`. */
  addressOf: (request: IncomingMessage) => string;
  onLimit: OnLimit;
}): (request: IncomingMessage) => EarlyRefusal | undefined {
  return (request) => {
    const address = addressOf(request);
    const retryAfter = limiter.take(address, 1);
    if (retryAfter > 0) {
      onLimit('requests of address', { address });
      return tooManyRequests(retryAfter);
    }
    return request.url!.length > URL_MAX_LENGTH ? URL_TOO_LONG : undefined;
  };
}

export const FOREIGN_PAGE: EarlyRefusal = {
  status: ERROR_STATUS.forbidden,
  body: JSON.stringify(refusal(wireError('forbidden', 'This page may not use this server.'))),
};

/** Before anything parses the URL. */
export const URL_TOO_LONG: EarlyRefusal = {
  status: 414,
  body: JSON.stringify(refusal(wireError('too-large', 'The address is too long.'))),
};

export function tooManyRequests(retryAfter: number): EarlyRefusal {
  const error = wireError('rate-limited', 'Too many requests from this network; wait a moment.', retryAfter);
  return { status: ERROR_STATUS['rate-limited'], retryAfter, body: JSON.stringify(refusal(error)) };
}

/** `unavailable`: what waits in an app stays queued, and is sent when the setting is corrected. */
export function foreignHost(sentence: string): EarlyRefusal {
  return { status: MISDIRECTED_STATUS, body: JSON.stringify(refusal(wireError('unavailable', sentence))) };
}

/**
 * The bodies of requests that are refused so early are not read: the connection is closed. In HTTP/2 no header says so: the
 * client gets GOAWAY.
 */
const CLOSE = { Connection: 'close' };

/** Without Access-Control-Max-Age: a browser would use the answer for later requests, too, which may not be refused. */
function anything({ headers }: IncomingMessage): Record<string, string> {
  const wanted = headers['access-control-request-headers'];
  return {
    'Access-Control-Allow-Methods': CORS_METHODS,
    ...(wanted === undefined ? {} : { 'Access-Control-Allow-Headers': wanted }),
  };
}

function headersOf({ retryAfter }: EarlyRefusal, more: Record<string, string>): Record<string, string> {
  return {
    'Content-Type': 'application/json; charset=utf-8',
    'Cache-Control': 'no-store',
    ...more,
    ...(retryAfter === undefined ? {} : { 'Retry-After': String(Math.ceil(retryAfter / 1_000)) }),
  };
}

/** Calls the existing listeners only for events that `handle` does not handle itself. */
function intercept<Args extends unknown[]>(
  http: NetServer,
  event: string,
  handle: (...args: Args) => boolean,
): void {
  const listeners = http.listeners(event);
  http.removeAllListeners(event);
  http.on(event, (...args: unknown[]) => {
    if (!handle(...(args as Args))) for (const listener of listeners) listener.apply(http, args);
  });
}
