/** Authenticates the Socket.IO handshake. Rejects with `connect_error` and `data: { code, message }`. */
import type { IncomingMessage } from 'node:http';
import * as v from 'valibot';
import { ACKNOWLEDGE_WITHIN_MS } from '../../shared/limits.ts';
import { Handshake, PROTOCOL, REQUIRED_FEATURE } from '../../shared/protocol/index.ts';
import type { Auth } from '../auth/auth.ts';
import type { Logger } from '../base/logger.ts';
import type { Metrics } from '../base/metrics.ts';
import { isUnexpected, RefusedError, toWireError } from '../base/refusal.ts';
import { withTimeout } from '../base/timeout.ts';
import type { RequestContext } from '../request/requestContext.ts';
import { endConnection, type LiveSocket, SocketRecipient } from './socketRecipient.ts';

interface Deps {
  auth: Pick<Auth, 'identify'>;
  contextOf: (request: IncomingMessage) => RequestContext;
  metrics: Metrics;
  logger: Logger;
}

/** A middleware for `io.use`. On success `socket.data` is the recipient. */
export function createHandshakeGuard({ auth, contextOf, metrics, logger }: Deps) {
  return (socket: LiveSocket, next: (error?: Error & { data?: unknown }) => void): void => {
    if (wasRequestDropped(socket)) {
      endConnection(socket); // a second handshake on one connection: the client has to open a new connection
      return;
    }
    authenticate(socket).then(
      () => next(),
      (error: unknown) => {
        if (isUnexpected(error)) logger.error({ err: error }, 'handshake failed');
        const data = toWireError(error);
        metrics.connectionRefusals.inc({ code: data.code });
        next(Object.assign(new Error(data.message), { data }));
      },
    );
  };

  async function authenticate(socket: LiveSocket) {
    const raw: { protocol?: unknown } = socket.handshake.auth;
    if (raw.protocol !== PROTOCOL) throw wrongProtocol(raw.protocol);
    const parsed = v.safeParse(Handshake, raw);
    if (!parsed.success)
      throw new RefusedError('invalid', `This is not a valid handshake: ${v.summarize(parsed.issues)}`);
    if (!parsed.output.features?.includes(REQUIRED_FEATURE)) throw clientTooOld();
    const { credentials } = contextOf(socket.request);
    const token = parsed.output.token ?? (credentials.tag === 'none' ? undefined : credentials.token);
    const identity =
      token === undefined ? undefined : await withTimeout(ACKNOWLEDGE_WITHIN_MS, auth.identify(token));
    if (!identity) throw new RefusedError('unauthorized', 'Sign in first.');
    if (parsed.output.as !== undefined && parsed.output.as !== identity.user.id) {
      throw new RefusedError('unauthorized', 'Another user is signed in here.');
    }
    socket.data = new SocketRecipient(socket, identity, parsed.output);
    dropRequest(socket);
  }
}

/**
 * Drops the HTTP request and the handshake data. They hold tokens, which `fetchSockets` would send to other processes, and
 * would take 3 kB of memory for as long as the connection lives.
 */
function dropRequest({ conn, handshake }: LiveSocket): void {
  Object.assign(conn, { request: undefined });
  Object.assign(handshake, { headers: EMPTY, query: EMPTY, auth: EMPTY });
}

const EMPTY = Object.freeze({});

function wasRequestDropped({ conn }: LiveSocket): boolean {
  return conn.request === undefined;
}

function clientTooOld(): RefusedError {
  return new RefusedError(
    'upgrade-required',
    'This version of the app is too old for this server: reload the app.',
  );
}

function wrongProtocol(theirs: unknown): RefusedError {
  return typeof theirs === 'number'
    ? new RefusedError('upgrade-required', `This server speaks protocol ${PROTOCOL}, this client ${theirs}.`)
    : new RefusedError('invalid', 'The handshake has no `protocol`.');
}
