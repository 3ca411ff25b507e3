/**
 * The Socket.IO server: authenticates connections, has each caught up, passes their requests to `perform`, and sends frames.
 */
import type { Server as HttpServer, IncomingMessage } from 'node:http';
import { Server, type Socket } from 'socket.io';
import type { Entry } from '../../shared/entry.ts';
import {
  ACKNOWLEDGE_WITHIN_MS,
  APPENDS_WAITING,
  FRAME_MAX_BYTES,
  FRAMES_PER_SECOND,
} from '../../shared/limits.ts';
import { type AnsweredName, answers, type User, type WireError } from '../../shared/protocol/index.ts';
import { createSerial } from '../../shared/serial.ts';
import type { Auth } from '../auth/auth.ts';
import type { Audit } from '../base/audit.ts';
import type { Logger } from '../base/logger.ts';
import type { Metrics } from '../base/metrics.ts';
import { refusal, toWireError, Unavailable, wireError } from '../base/refusal.ts';
import { withTimeout } from '../base/timeout.ts';
import type { CatchUp } from '../feed/catchUp.ts';
import type { Feed } from '../feed/feed.ts';
import type { Names } from '../feed/names.ts';
import type { Broadcast } from '../feed/recipient.ts';
import type { Limiter } from '../limits/limiter.ts';
import type { HostCheck } from '../request/hostCheck.ts';
import type { Perform } from '../request/perform.ts';
import { mayAct, type RequestContext } from '../request/requestContext.ts';
import type { Store } from '../store/port.ts';
import { chooseCompression } from './compress.ts';
import { createHandshakeGuard } from './handshakeGuard.ts';
import { createLocalSockets } from './localSockets.ts';
import { FOREIGN_PAGE, foreignHost, guardOrigin } from './originGuard.ts';
import { type Reconciler, startReconciler } from './reconciler.ts';
import {
  type AdapterConstructor,
  endConnection,
  type LiveServer,
  type LiveSocket,
  socketsOf,
} from './socketRecipient.ts';

export interface Realtime {
  /** Starts the periodic reconciliation. */
  start(): void;
  /** Call for each committed entry that changes a membership: the sockets of that user join or leave the room. */
  applyMembership(room: string, entry: Entry): void;
  /** Reconciles sessions and memberships now, because commits may have been missed. */
  reconcile(): void;
  /** Ends all sockets of this device, on every process. */
  disconnectDevice(device: string): void;
  /** To all sockets of this user: how far they have read. */
  sendRead(user: string, room: string, upTo: number): void;
  /** To everybody in the user's rooms, on every process: the user has another name. */
  sendUser(user: User): Promise<void>;
  /** Sends `bye`: clients reconnect after `retryAfter` ms. Resolves when it was handed to all connections. */
  sayBye(retryAfter: number): Promise<void>;
  close(): Promise<void>;
}

interface Deps {
  io: LiveServer;
  /** The HTTP server that `io` is attached to. */
  http: HttpServer;
  /** True if there are other processes on the same database. */
  hasOtherProcesses: boolean;
  store: Pick<Store, 'users' | 'rooms'>;
  auth: Pick<Auth, 'identify'>;
  feed: Pick<Feed, 'reconcileHeads' | 'hosted' | 'release'>;
  catchUp: CatchUp;
  names: Pick<Names, 'changed' | 'refresh'>;
  perform: Perform;
  frameLimiter: Limiter;
  contextOf: (request: IncomingMessage) => RequestContext;
  hosts: HostCheck;
  metrics: Metrics;
  audit: Audit;
  logger: Logger;
  /** The wall clock in milliseconds. */
  now: () => number;
}

/** The Socket.IO server of this process. `adapter`: connects it to the other processes, if there are any. */
export function createSocketServer({
  http,
  adapter,
  allowedOrigins,
  logger,
}: {
  http: HttpServer;
  adapter: AdapterConstructor | undefined;
  allowedOrigins: readonly string[];
  logger: Pick<Logger, 'warn'>;
}): LiveServer {
  const compression = chooseCompression(logger);
  const io: LiveServer = new Server(http, {
    serveClient: false,
    ...(adapter ? { adapter } : {}),
    maxHttpBufferSize: FRAME_MAX_BYTES,
    perMessageDeflate: compression.perMessageDeflate,
    cors: { origin: [...allowedOrigins], credentials: true },
  });
  compression.attach(io);
  return io;
}

/** Sends to all sockets of this process in a room. Encoded once, not compressed. */
export function broadcastBy(io: LiveServer): Broadcast {
  return (room, name, payload) => {
    (io.local.to(socketsOf.room(room)).compress(false) as Pick<Socket, 'emit'>).emit(name, payload);
  };
}

export function createRealtime({
  io,
  http,
  hasOtherProcesses,
  contextOf,
  hosts,
  store,
  auth,
  feed,
  catchUp,
  names,
  perform,
  frameLimiter,
  metrics,
  audit,
  logger,
  now,
}: Deps): Realtime {
  guardOrigin(http, '/socket.io/', (request) => {
    const context = contextOf(request);
    const isOwnHost = hosts.isOwn(context.host);
    if (isOwnHost && mayAct(context)) return undefined;
    const code = isOwnHost ? 'forbidden' : 'unknown-host';
    metrics.connectionRefusals.inc({ code });
    audit.record('connection', { address: context.address, code });
    return isOwnHost ? FOREIGN_PAGE : foreignHost(hosts.sentence);
  });

  const localSockets = createLocalSockets({ io, catchUp, logger, now });
  let reconciler: Reconciler | undefined;

  io.on('userChanged', names.changed);
  io.use(createHandshakeGuard({ auth, contextOf, metrics, logger }));
  io.engine.on('connection_error', (error: { code: number }) =>
    metrics.connectionRefusals.inc({ code: `engine-${error.code}` }),
  );
  io.on('connection', (socket) => {
    const recipient = socket.data;
    const { user, device } = recipient.identity;
    countConnections();
    names.changed(user);
    void socket.join([socketsOf.user(user.id), socketsOf.device(device)]);
    dispatch(socket, { perform, frameLimiter, metrics });
    recipient
      .inOrder(async () => {
        if (await isSignedIn(socket)) await catchUp.welcome(recipient);
        else socket.disconnect(true);
      })
      .catch((error: unknown) => {
        logger.warn({ err: error }, 'welcome failed; closing the connection so that the client reconnects');
        endConnection(socket);
      });
    socket.on('disconnect', countConnections);
  });

  function countConnections() {
    metrics.connections.set(io.of('/').sockets.size);
  }

  /** The device may have been signed out after the handshake, before this socket was in its Socket.IO room. */
  async function isSignedIn(socket: LiveSocket): Promise<boolean> {
    const { device } = socket.data.identity;
    return (await store.users.devicesAlive([device])).has(device);
  }

  return {
    start() {
      reconciler = startReconciler({ io, localSockets, feed, names, store, logger });
    },
    applyMembership: localSockets.applyMembership,
    reconcile: () => reconciler?.checkNow(),
    disconnectDevice: (device) => io.in(socketsOf.device(device)).disconnectSockets(true),
    async sendUser(user) {
      names.changed(user);
      const rooms = (await store.rooms.ofUsers([user.id])).get(user.id) ?? [];
      const sockets = [socketsOf.user(user.id), ...rooms.map(socketsOf.room)];
      io.to(sockets).emit('user', { user });
      if (hasOtherProcesses) io.serverSideEmit('userChanged', user);
    },
    sendRead: (user, room, upTo) => io.to(socketsOf.user(user)).emit('read', { room, user, upTo }),
    async sayBye(retryAfter) {
      io.local.emit('bye', { retryAfter });
      await new Promise(setImmediate); // the MongoDB adapter passes it to the connections one tick later
    },
    async close() {
      reconciler?.stop();
      // Ends connections, not sockets: a client whose socket is disconnected does not reconnect.
      for (const socket of io.of('/').sockets.values()) endConnection(socket);
      await allClosed(io, FLUSH_TIMEOUT_MS);
      io.engine.close();
      // The adapter may ask the database to end a change stream, and the database may be gone.
      await withTimeout(FLUSH_TIMEOUT_MS, Promise.resolve(io.of('/').adapter.close())).catch(() => {});
    },
  };
}

/** How long a connection may take to flush its last frames before it is dropped. */
const FLUSH_TIMEOUT_MS = 500;

async function allClosed(io: LiveServer, withinMs: number): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (io.engine.clientsCount > 0 && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 5));
}

type Acknowledge = (answer: unknown) => void;

/** Handles the frames that a socket sends: rate limit, check of the request's name, `perform`, acknowledgement. */
function dispatch(
  socket: LiveSocket,
  { perform, frameLimiter, metrics }: Pick<Deps, 'perform' | 'frameLimiter' | 'metrics'>,
): void {
  const inOrder = createSerial(); // L5: the appends of one socket are handled one at a time, in order
  let pending = 0;

  /** The deadline runs from the arrival, not from its turn. An append that timed out in the queue is not started. */
  async function append(work: () => Promise<unknown>): Promise<unknown> {
    let isLate = false;
    pending++;
    const result = inOrder(async () => (isLate ? undefined : work())).finally(() => pending--);
    try {
      return await withTimeout(ACKNOWLEDGE_WITHIN_MS, result);
    } catch (error) {
      isLate = true;
      return refusal(toWireError(error));
    }
  }

  socket.onAny((event: string, ...args: unknown[]) => {
    const acknowledge = typeof args.at(-1) === 'function' ? (args.pop() as Acknowledge) : undefined;
    const name = isRequest(event) ? event : undefined;
    metrics.frames.inc({ event: name ?? 'other' });
    const refuse = (error: WireError) => {
      metrics.refusals.inc({ event: name ?? 'other', code: error.code });
      acknowledge?.(refusal(error));
    };

    const retryAfter = frameLimiter.take(socket.id, 1);
    if (!acknowledge) return; // without an acknowledgement callback the request cannot be answered: count it and drop it
    if (retryAfter > 0) {
      return refuse(
        wireError('rate-limited', `More than ${FRAMES_PER_SECOND} requests per second.`, retryAfter),
      );
    }
    if (!name) return refuse(wireError('invalid', 'This request does not exist in the protocol.'));
    if (args.length > 1) return refuse(wireError('invalid', 'A request has exactly one payload.'));

    const transport = socket.data.isPolling() ? 'polling' : 'websocket';
    const answer = () => perform(name, socket.data.identity.user, args[0], transport);
    if (name === 'append' && pending >= APPENDS_WAITING) {
      return refuse(
        toWireError(new Unavailable('Too many appends of this socket are pending; send one at a time.')),
      );
    }
    void (name === 'append' ? append(answer) : answer()).then(acknowledge);
  });
}

function isRequest(event: string): event is AnsweredName {
  return Object.hasOwn(answers, event);
}
