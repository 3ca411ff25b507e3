/** Authenticates the Socket.IO handshake. Rejects with `connect_error` and `data: { code, message }`. */
import type { IncomingMessage } from 'node:http';
import { ACKNOWLEDGE_WITHIN_MS } from '../../shared/limits.ts';
import { type ErrorCode, Handshake, PROTOCOL, REQUIRED_FEATURE } from '../../shared/protocol/index.ts';
import type { Auth } from '../auth/auth.ts';
import type { Audit } from '../base/audit.ts';
import type { Logger } from '../base/logger.ts';
import type { Metrics } from '../base/metrics.ts';
import { parseOrRefuse } from '../base/parse.ts';
import { isUnexpected, RefusedError, toWireError } from '../base/refusal.ts';
import { withTimeout } from '../base/timeout.ts';
import { addressKey } from '../limits/addressKey.ts';
import type { Credentials, RequestContext } from '../request/requestContext.ts';
import type { Admission } from './admission.ts';
import { type LiveSocket, SocketRecipient } from './socketRecipient.ts';

interface Deps {
  auth: Pick<Auth, 'identify'>;
  admission: Pick<Admission, 'approach' | 'refused' | 'identified'>;
  contextOf: (request: IncomingMessage) => RequestContext;
  /** Called with the request of a handshake that is authenticated. */
  onAuthenticated: (request: IncomingMessage) => void;
  metrics: Metrics;
  audit: Audit;
  logger: Logger;
}

/** A middleware for `io.use`. On success `socket.data` is the recipient. */
export function createHandshakeGuard({
  auth,
  admission,
  contextOf,
  onAuthenticated,
  metrics,
  audit,
  logger,
}: Deps) {
  return (socket: LiveSocket, next: (error?: Error & { data?: unknown }) => void): void => {
    const { address: from, credentials } = contextOf(socket.request);
    const address = addressKey(from);
    authenticate(socket, address, credentials).then(
      () => next(),
      (error: unknown) => {
        if (isUnexpected(error)) logger.error({ err: error }, 'handshake failed');
        const data = toWireError(error);
        if (!isOwnFault(data.code)) admission.refused(address);
        metrics.connectionRefusals.inc({ code: data.code });
        if (!isOwnFault(data.code)) audit.record('connection', { address, code: data.code });
        next(Object.assign(new Error(data.message), { data }));
      },
    );
  };

  /** Identifies the client first: nothing else of a stranger's handshake is looked at. */
  async function authenticate(socket: LiveSocket, address: string, credentials: Credentials) {
    admission.approach(address);
    const { protocol, token: sent }: { protocol?: unknown; token?: unknown } = socket.handshake.auth;
    if (protocol !== PROTOCOL) throw wrongProtocol(protocol);
    if (sent !== undefined && typeof sent !== 'string')
      throw new RefusedError('invalid', 'The token is no string.');
    const token = sent ?? (credentials.tag === 'none' ? undefined : credentials.token);
    const identity =
      token === undefined
        ? undefined
        : await withTimeout(ACKNOWLEDGE_WITHIN_MS, auth.identify(token, address));
    if (!identity) throw new RefusedError('unauthorized', 'Sign in first.');
    admission.identified(identity.user.id, address);
    const handshake = parseOrRefuse(Handshake, socket.handshake.auth, 'handshake');
    if (!handshake.features?.includes(REQUIRED_FEATURE)) throw clientTooOld();
    if (handshake.as !== undefined && handshake.as !== identity.user.id) {
      throw new RefusedError('unauthorized', 'Another user is signed in here.');
    }
    metrics.outboxAgeSeconds.observe(60 * Math.min(handshake.waiting ?? 0, WAITING_MAX_MINUTES));
    socket.data = new SocketRecipient(socket, identity, address, handshake);
    onAuthenticated(socket.request);
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

/** A month: more says nothing, and would only spoil the sum. */
const WAITING_MAX_MINUTES = 31 * 24 * 60;

const EMPTY = Object.freeze({});

/** Of the server, not of the client. */
function isOwnFault(code: ErrorCode): boolean {
  return code === 'unavailable' || code === 'internal';
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
