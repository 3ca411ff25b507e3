/**
 * Handshakes from pages that may not are turned away before Socket.IO sees them: its own refusal of an upgrade would be
 * a 400 without a reason, and the protocol says 403 in the shape that all errors have.
 */
import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { ERROR_STATUS } from '../../shared/protocol/index.ts';
import { refusal, wireError } from '../base/refusal.ts';

const BODY = JSON.stringify(refusal(wireError('forbidden', 'This page may not use this server.')));
const HEADERS = {
  'Content-Type': 'application/json; charset=utf-8',
  'Cache-Control': 'no-store',
  Connection: 'close',
};
const STATUS = ERROR_STATUS.forbidden;

/** Stands before every listener that `http` has by now. `mayEnter` is asked of each request below `path`. */
export function guardDoor(
  http: HttpServer,
  path: string,
  mayEnter: (request: IncomingMessage) => boolean,
): void {
  const isRefused = (request: IncomingMessage) =>
    request.url?.startsWith(path) === true && !mayEnter(request);

  before(http, 'request', (request: IncomingMessage, response: ServerResponse) => {
    if (!isRefused(request)) return false;
    response.writeHead(STATUS, HEADERS).end(BODY);
    return true;
  });
  before(http, 'upgrade', (request: IncomingMessage, socket: Duplex) => {
    if (!isRefused(request)) return false;
    const head = { ...HEADERS, 'Content-Length': Buffer.byteLength(BODY) };
    const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}`);
    socket.on('error', () => {}); // it may be gone already, and nobody else listens
    socket.end([`HTTP/1.1 ${STATUS} Forbidden`, ...lines, '', BODY].join('\r\n'));
    return true;
  });
}

/** What `first` takes, the listeners that were there do not see. */
function before<Args extends unknown[]>(
  http: HttpServer,
  event: string,
  first: (...args: Args) => boolean,
): void {
  const others = http.listeners(event);
  http.removeAllListeners(event);
  http.on(event, (...args: unknown[]) => {
    if (!first(...(args as Args))) for (const other of others) other.apply(http, args);
  });
}
