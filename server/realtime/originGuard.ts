/**
 * The origin guard: refuses Socket.IO handshakes from foreign pages (403) and under foreign names (421) before the engine sees
 * them, in the shape of all errors. The engine's own answer to a refused upgrade is a 400 without a reason.
 */
import {
  type Server as HttpServer,
  type IncomingMessage,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { Duplex } from 'node:stream';
import { ERROR_STATUS } from '../../shared/protocol/index.ts';
import { refusal, wireError } from '../base/refusal.ts';
import { MISDIRECTED_STATUS } from '../request/hostCheck.ts';

export interface HandshakeRefusal {
  status: number;
  /** JSON. */
  body: string;
}

/** Runs before every listener that `http` has at the moment. `refusalOf` is called for each request below `path`. */
export function guardOrigin(
  http: HttpServer,
  path: string,
  refusalOf: (request: IncomingMessage) => HandshakeRefusal | undefined,
): void {
  const refused = (request: IncomingMessage) =>
    request.url?.startsWith(path) === true ? refusalOf(request) : undefined;

  intercept(http, 'request', (request: IncomingMessage, response: ServerResponse) => {
    const why = refused(request);
    if (!why) return false;
    response.writeHead(why.status, HEADERS).end(why.body);
    return true;
  });
  intercept(http, 'upgrade', (request: IncomingMessage, socket: Duplex) => {
    const why = refused(request);
    if (!why) return false;
    const { status, body } = why;
    const headers = { ...HEADERS, 'Content-Length': Buffer.byteLength(body) };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    socket.on('error', () => {}); // the client may be gone already; an error without a listener would end the process
    socket.end([`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, '', body].join('\r\n'));
    return true;
  });
}

export const FOREIGN_PAGE: HandshakeRefusal = {
  status: ERROR_STATUS.forbidden,
  body: JSON.stringify(refusal(wireError('forbidden', 'This page may not use this server.'))),
};

/** `unavailable`: what waits in an app stays queued, and is sent when the setting is corrected. */
export function foreignHost(sentence: string): HandshakeRefusal {
  return { status: MISDIRECTED_STATUS, body: JSON.stringify(refusal(wireError('unavailable', sentence))) };
}

const HEADERS = {
  'Content-Type': 'application/json; charset=utf-8',
  'Cache-Control': 'no-store',
  Connection: 'close',
};

/** Calls the existing listeners only for events that `handle` does not handle itself. */
function intercept<Args extends unknown[]>(
  http: HttpServer,
  event: string,
  handle: (...args: Args) => boolean,
): void {
  const listeners = http.listeners(event);
  http.removeAllListeners(event);
  http.on(event, (...args: unknown[]) => {
    if (!handle(...(args as Args))) for (const listener of listeners) listener.apply(http, args);
  });
}
