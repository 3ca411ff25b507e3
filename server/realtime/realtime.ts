/** Socket.IO: who comes in is welcomed and caught up; what they ask is performed; what is committed reaches them. */
import type { Server as HttpServer, IncomingMessage } from 'node:http';
import { Server } from 'socket.io';
import { membershipOf, subjectOf } from '../../shared/kinds.ts';
import { FRAME_MAX_BYTES } from '../../shared/limits.ts';
import type { User } from '../../shared/protocol/index.ts';
import type { Auth } from '../auth/auth.ts';
import type { Logger } from '../base/logger.ts';
import type { Metrics } from '../base/metrics.ts';
import { withTimeout } from '../base/timeout.ts';
import { createCatchUp } from '../feed/catchUp.ts';
import { createFanOut } from '../feed/fanOut.ts';
import { createFeed, type Feed } from '../feed/feed.ts';
import type { Names } from '../feed/names.ts';
import { mayAct } from '../http/origin.ts';
import type { Visit } from '../http/visit.ts';
import type { Limiter } from '../limits/limiter.ts';
import type { Perform } from '../perform.ts';
import type { Access } from '../rooms/access.ts';
import type { Store } from '../store/port.ts';
import { compressAlone, PER_MESSAGE_DEFLATE } from './compress.ts';
import { dispatch } from './dispatch.ts';
import { guardDoor } from './door.ts';
import { handshake } from './handshake.ts';
import { createLive } from './live.ts';
import {
  type AdapterConstructor,
  endConnection,
  type LiveServer,
  type LiveSocket,
  socketsOf,
} from './types.ts';
import { type Watch, watch } from './watch.ts';

export interface Realtime {
  start(): Promise<void>;
  /** True while commits are heard. */
  isOpen(): boolean;
  /** Ends every socket of this device, or of this user but for one device. */
  disconnectDevice(device: string): void;
  /** To the user's own sockets: how far they have read. */
  tellRead(user: string, room: string, upTo: number): void;
  /** A user has another name: to everybody in their rooms, on every process. */
  tellUser(user: User): Promise<void>;
  /** Says `bye`: come back after so many milliseconds. Resolves when it is on its way to everybody. */
  sayBye(retryAfter: number): Promise<void>;
  close(): Promise<void>;
}

interface Deps {
  http: HttpServer;
  adapter: AdapterConstructor | undefined;
  store: Store;
  auth: Pick<Auth, 'identify'>;
  access: Access;
  names: Names;
  perform: Perform;
  frameLimiter: Limiter;
  features: () => string[];
  visit: (request: IncomingMessage) => Visit;
  allowedOrigins: readonly string[];
  metrics: Metrics;
  logger: Logger;
  now: () => number;
}

export function createRealtime(deps: Deps): Realtime {
  const { http, visit, store, auth, access, names, perform, frameLimiter, metrics, logger, now } = deps;
  const io: LiveServer = new Server(http, {
    serveClient: false,
    ...(deps.adapter ? { adapter: deps.adapter } : {}),
    maxHttpBufferSize: FRAME_MAX_BYTES,
    perMessageDeflate: PER_MESSAGE_DEFLATE,
    cors: { origin: [...deps.allowedOrigins], credentials: true },
  });
  compressAlone(io);

  guardDoor(http, '/socket.io/', (request) => {
    const allowed = mayAct(visit(request));
    if (!allowed) metrics.connectionRefusals.inc({ code: 'forbidden' });
    return allowed;
  });

  const feed: Feed = createFeed({
    log: store.log,
    deliver: createFanOut(io, names),
    onMembership(room, entry) {
      if (membershipOf(entry) === 'joined') access.joined(room, subjectOf(entry));
      else access.left(room, subjectOf(entry));
      live.member(room, entry);
    },
    onGap() {
      access.forget();
      watching?.recheck();
    },
    onLag: (ms) => metrics.tailLagSeconds.observe(ms / 1000),
    now,
  });
  const catchUp = createCatchUp({ store, feed, names, features: deps.features, logger, now });
  const live = createLive({ io, catchUp, logger, now });
  let watching: Watch | undefined;

  io.on('userChanged', names.changed);
  io.use(handshake({ auth, visit, metrics, logger }));
  io.engine.on('connection_error', (error: { code: number }) =>
    metrics.connectionRefusals.inc({ code: `engine-${error.code}` }),
  );
  io.on('connection', (socket) => {
    const { user, device } = socket.data.identity;
    countConnections();
    names.changed(user);
    void socket.join([socketsOf.user(user.id), socketsOf.device(device)]);
    dispatch(socket, { perform, frameLimiter, metrics });
    socket.data
      .inOrder(async () => {
        if (await isSignedIn(socket)) await catchUp.welcome(socket);
        else socket.disconnect(true);
      })
      .catch((error: unknown) => {
        logger.warn({ err: error }, 'a socket could not be welcomed; it begins anew');
        endConnection(socket);
      });
    socket.on('disconnect', countConnections);
  });

  function countConnections() {
    metrics.connections.set(io.of('/').sockets.size);
  }

  /** The device may have been signed out between the handshake and the moment from which this socket would be told. */
  async function isSignedIn(socket: LiveSocket): Promise<boolean> {
    const { device } = socket.data.identity;
    return (await store.users.devicesAlive([device])).has(device);
  }

  return {
    async start() {
      await feed.start();
      watching = watch({ io, live, feed, names, store, logger });
    },
    isOpen: () => feed.isOpen(),
    disconnectDevice: (device) => io.in(socketsOf.device(device)).disconnectSockets(true),
    async tellUser(user) {
      names.changed(user);
      const rooms = (await store.rooms.ofUsers([user.id])).get(user.id) ?? [];
      const sockets = [socketsOf.user(user.id), ...rooms.map(socketsOf.room)];
      io.to(sockets).emit('user', { user });
      if (deps.adapter) io.serverSideEmit('userChanged', user);
    },
    tellRead: (user, room, upTo) => io.to(socketsOf.user(user)).emit('read', { room, user, upTo }),
    async sayBye(retryAfter) {
      io.local.emit('bye', { retryAfter });
      await new Promise(setImmediate); // the adapter for MongoDB hands it to the connections a tick later
    },
    async close() {
      watching?.stop();
      await feed.close();
      // The connections and not the sockets: a client that is told to disconnect does not come back by itself.
      for (const socket of io.of('/').sockets.values()) endConnection(socket);
      await gone(io, FLUSH_WITHIN_MS);
      io.engine.close();
      // It may ask its database to end a stream, which need not answer any more.
      await withTimeout(FLUSH_WITHIN_MS, Promise.resolve(io.of('/').adapter.close())).catch(() => {});
    },
  };
}

/** What was said last is let out before the connections go; one that does not listen is not waited for. */
const FLUSH_WITHIN_MS = 500;

async function gone(io: LiveServer, withinMs: number): Promise<void> {
  const until = Date.now() + withinMs;
  while (io.engine.clientsCount > 0 && Date.now() < until)
    await new Promise((resolve) => setTimeout(resolve, 5));
}
