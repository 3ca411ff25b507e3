/** Who is at the door of a socket: `connect_error` with `data` for whoever may not come in. */
import type { IncomingMessage } from 'node:http';
import * as v from 'valibot';
import { ACKNOWLEDGE_WITHIN_MS } from '../../shared/limits.ts';
import { Handshake, PROTOCOL, REQUIRED_FEATURE } from '../../shared/protocol/index.ts';
import { createSerial } from '../../shared/serial.ts';
import type { Auth } from '../auth/auth.ts';
import type { Logger } from '../base/logger.ts';
import type { Metrics } from '../base/metrics.ts';
import { isUnexpected, RefusedError, toWireError } from '../base/refusal.ts';
import { withTimeout } from '../base/timeout.ts';
import type { Visit } from '../http/visit.ts';
import { endConnection, type LiveSocket } from './types.ts';

interface Deps {
  auth: Pick<Auth, 'identify'>;
  visit: (request: IncomingMessage) => Visit;
  metrics: Metrics;
  logger: Logger;
}

export function handshake({ auth, visit, metrics, logger }: Deps) {
  return (socket: LiveSocket, next: (error?: Error & { data?: unknown }) => void): void => {
    if (isForgotten(socket)) {
      endConnection(socket); // a second one begins with a connection of its own
      return;
    }
    admit(socket).then(
      () => next(),
      (error: unknown) => {
        if (isUnexpected(error)) logger.error({ err: error }, 'a handshake failed');
        const data = toWireError(error);
        metrics.connectionRefusals.inc({ code: data.code });
        next(Object.assign(new Error(data.message), { data }));
      },
    );
  };

  async function admit(socket: LiveSocket) {
    const raw: { protocol?: unknown } = socket.handshake.auth;
    if (raw.protocol !== PROTOCOL) throw wrongProtocol(raw.protocol);
    const parsed = v.safeParse(Handshake, raw);
    if (!parsed.success)
      throw new RefusedError('invalid', `This is no handshake: ${v.summarize(parsed.issues)}`);
    if (!parsed.output.features?.includes(REQUIRED_FEATURE)) throw tooOld();
    const { proof } = visit(socket.request);
    const token = parsed.output.token ?? (proof.tag === 'none' ? undefined : proof.token);
    const identity =
      token === undefined ? undefined : await withTimeout(ACKNOWLEDGE_WITHIN_MS, auth.identify(token));
    if (!identity) throw new RefusedError('unauthorized', 'Sign in first.');
    if (parsed.output.as !== undefined && parsed.output.as !== identity.user.id) {
      throw new RefusedError('unauthorized', 'Another user is signed in here.');
    }
    socket.data = {
      identity,
      handshake: parsed.output,
      cursorsElsewhere: new Map(),
      retrying: new Map(),
      told: new Map(),
      inOrder: createSerial(),
    };
    forget(socket);
  }
}

/**
 * What proved who it is: it is not needed again, nobody shall find tokens in it (`fetchSockets` shows it to other
 * processes), and the whole request would stay in memory as long as the connection, 3 kB of it.
 */
function forget({ conn, handshake }: LiveSocket): void {
  Object.assign(conn, { request: undefined });
  Object.assign(handshake, { headers: NOTHING, query: NOTHING, auth: NOTHING });
}

const NOTHING = Object.freeze({});

function isForgotten({ conn }: LiveSocket): boolean {
  return conn.request === undefined;
}

function tooOld(): RefusedError {
  return new RefusedError(
    'upgrade-required',
    'This version of the app cannot read what this server sends: load the new one.',
  );
}

function wrongProtocol(theirs: unknown): RefusedError {
  return typeof theirs === 'number'
    ? new RefusedError('upgrade-required', `This server speaks protocol ${PROTOCOL}, this client ${theirs}.`)
    : new RefusedError('invalid', 'The handshake does not say which protocol it speaks.');
}
