/**
 * The origin guard: refuses Socket.IO handshakes from foreign pages before the engine sees them, with a 403 in the shape of
 * all errors. The engine's own answer to a refused upgrade is a 400 without a reason.
 */
import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { ERROR_STATUS } from '../../shared/protocol/index.ts';
import { refusal, wireError } from '../base/refusal.ts';

/** Runs before every listener that `http` has at the moment. `isAllowed` is called for each request below `path`. */
export function guardOrigin(
  http: HttpServer,
  path: string,
  isAllowed: (request: IncomingMessage) => boolean,
): void {
  const isRefused = (request: IncomingMessage) =>
    request.url?.startsWith(path) === true && !isAllowed(request);

  intercept(http, 'request', (request: IncomingMessage, response: ServerResponse) => {
    if (!isRefused(request)) return false;
    response.writeHead(STATUS, HEADERS).end(BODY);
    return true;
  });
  intercept(http, 'upgrade', (request: IncomingMessage, socket: Duplex) => {
    if (!isRefused(request)) return false;
    const headers = { ...HEADERS, 'Content-Length': Buffer.byteLength(BODY) };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    socket.on('error', () => {}); // the client may be gone already; an error without a listener would end the process
    socket.end([`HTTP/1.1 ${STATUS} Forbidden`, ...lines, '', BODY].join('\r\n'));
    return true;
  });
}

const BODY = JSON.stringify(refusal(wireError('forbidden', 'This page may not use this server.')));
const HEADERS = {
  'Content-Type': 'application/json; charset=utf-8',
  'Cache-Control': 'no-store',
  Connection: 'close',
};
const STATUS = ERROR_STATUS.forbidden;

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
