/**
 * Requests of HTTP/2 take turns. One read of a connection may bring a hundred of them, and those of all connections that are
 * readable would be handled before anybody else's bytes are read: 6,000 take a second. So a few are handled in each turn of the
 * event loop, from each connection in rotation, and one that was reset meanwhile is not handled at all.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import type { Server as NetServer } from 'node:net';
import { REQUESTS_PER_TURN } from '../base/serverLimits.ts';
import { sessionOf } from './webServer.ts';

type Exchange = [request: IncomingMessage, response: ServerResponse];

/** Runs before every listener of requests that `http` has at the moment. */
export function takeTurns(http: NetServer): void {
  const listeners = http.listeners('request');
  /** By connection: those whose turn comes first are first. */
  const waiting = new Map<object, Exchange[]>();
  let left = REQUESTS_PER_TURN;
  let isScheduled = false;

  function handle(exchange: Exchange) {
    for (const listener of listeners) listener.apply(http, exchange);
  }

  function schedule() {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(nextTurn);
  }

  function nextTurn() {
    isScheduled = false;
    left = REQUESTS_PER_TURN;
    for (const [session, exchanges] of waiting) {
      waiting.delete(session);
      const next = exchanges.findIndex(([request]) => !isReset(request));
      if (next === -1) continue;
      if (next + 1 < exchanges.length) waiting.set(session, exchanges.slice(next + 1)); // at the end
      handle(exchanges[next]!);
      if (--left === 0) break;
    }
    if (waiting.size > 0) schedule();
  }

  http.removeAllListeners('request');
  http.on('request', (...exchange: Exchange) => {
    const session = sessionOf(exchange[0]);
    if (!session) return handle(exchange);
    const before = waiting.get(session);
    if (left > 0 && !before) {
      left--;
      schedule();
      return handle(exchange);
    }
    if (before) before.push(exchange);
    else waiting.set(session, [exchange]);
    schedule();
  });
}

function isReset(request: IncomingMessage): boolean {
  const { stream } = request as unknown as Http2ServerRequest;
  return stream.destroyed || stream.closed;
}
