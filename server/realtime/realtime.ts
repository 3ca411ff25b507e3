/**
 * The Socket.IO server: authenticates connections, has each caught up, passes their requests to `perform`, and sends frames.
 */
import type { IncomingMessage } from 'node:http';
import type { Server as NetServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { Server } from 'socket.io';
import { PacketType } from 'socket.io-parser';
import type { Entry } from '../../shared/entry.ts';
import {
  ACKNOWLEDGE_WITHIN_MS,
  APPENDS_WAITING,
  FRAME_MAX_BYTES,
  FRAMES_PER_SECOND,
} from '../../shared/limits.ts';
import {
  type Acknowledgement,
  type Answer,
  type AnsweredName,
  answers,
  type Entries,
  type Frame,
  type Request,
  requests,
  type User,
  type WireError,
} from '../../shared/protocol/index.ts';
import { createSerial } from '../../shared/serial.ts';
import type { Auth } from '../auth/auth.ts';
import type { Audit, OnLimit } from '../base/audit.ts';
import { createBatchLoader } from '../base/batchLoader.ts';
import type { Logger } from '../base/logger.ts';
import type { Metrics } from '../base/metrics.ts';
import { parseUpToFault } from '../base/parse.ts';
import { refusal, toWireError, Unavailable, wireError } from '../base/refusal.ts';
import {
  BYE_RETRY_AFTER_MS,
  BYE_SPREAD_MAX_MS,
  BYE_SPREAD_MS,
  CONNECTED_WITHIN_MS,
  READS_WAITING,
  STRANGERS,
  STRANGERS_OF_ADDRESS,
} from '../base/serverLimits.ts';
import { withTimeout } from '../base/timeout.ts';
import type { CatchUp } from '../feed/catchUp.ts';
import type { Feed } from '../feed/feed.ts';
import type { Names } from '../feed/names.ts';
import type { Broadcast } from '../feed/recipient.ts';
import { addressKey } from '../limits/addressKey.ts';
import type { Limiter } from '../limits/limiter.ts';
import { createStrangers } from '../limits/strangers.ts';
import type { WorkMeter } from '../limits/workMeter.ts';
import type { HostCheck } from '../request/hostCheck.ts';
import { codesOf, type Perform } from '../request/perform.ts';
import { mayAct, type RequestContext } from '../request/requestContext.ts';
import { FOREIGN_PAGE, foreignHost, guardRequests } from '../request/requestGuard.ts';
import type { WebServer } from '../request/webServer.ts';
import type { PresenceMessage, PresenceService } from '../rooms/presenceService.ts';
import type { SmallRooms } from '../rooms/smallRooms.ts';
import type { Store } from '../store/port.ts';
import { createAdmission } from './admission.ts';
import { chooseCompression } from './compress.ts';
import { createHandshakeGuard } from './handshakeGuard.ts';
import { createLocalSockets } from './localSockets.ts';
import {
  allowLargeMessages,
  boundedParser,
  boundMessages,
  boundPackets,
  parserWithOperators,
  TOO_LARGE_EVENT,
} from './packets.ts';
import { createPassOnTyping, type PassOnTyping } from './passOnTyping.ts';
import { type Reconciler, startReconciler } from './reconciler.ts';
import {
  type AdapterConstructor,
  endConnection,
  type LiveServer,
  type LiveSocket,
  socketsOf,
} from './socketRecipient.ts';
import type { Backpressure } from './unsent.ts';

export interface Realtime {
  /** Starts the periodic reconciliation. */
  start(): void;
  /** Call for each committed entry that changes a membership: the sockets of that user join or leave the room. */
  applyMembership(room: string, entry: Entry): void;
  /** A direct conversation has begun. */
  begun(room: string): void;
  /** Reconciles sessions and memberships now, because commits may have been missed. */
  reconcile(): void;
  /** Ends all sockets of this device, on every process. */
  disconnectDevice(device: string): void;
  /** Ends all sockets of this user, on every process. */
  disconnectUser(user: string): void;
  /** The same of these users, on this process. */
  disconnectHere(users: Iterable<string>): void;
  /** The devices that are connected to this process. */
  devices(): string[];
  /** To all sockets of this user: how far they have read. */
  sendRead(user: string, room: string, upTo: number): void;
  /** To all sockets of this user: what they want of a room. */
  sendSettings(user: string, frame: Frame<'settings'>): void;
  /** Whether this user's sockets, on every process, are left out of `sendReaders`. */
  setHidingReads(user: string, hides: boolean): void;
  /** To everybody in the room but the user `except`, on every process: how far members have read. */
  sendReaders(frame: Frame<'readers'>, except?: string): void;
  /** To one socket of this process, where it is in this room; false otherwise. */
  sendPresence(socket: string, room: string, frame: Frame<'presence'>): boolean;
  /** To all sockets of this user. */
  sendPresenceTo(user: string, frame: Frame<'presence'>): void;
  /** To the other processes. */
  sharePresence(message: PresenceMessage): void;
  /** To everybody in the user's rooms, on every process: the user has another name. */
  sendUser(user: User): Promise<void>;
  /** The client of this connection is known otherwise than by a handshake here. */
  authenticated(connection: LiveSocket['conn']): void;
  /** Sends `bye`: clients reconnect at different times. Resolves when it was handed to all connections. */
  sayBye(): Promise<void>;
  close(): Promise<void>;
}

interface Deps {
  io: LiveServer;
  /** The HTTP server that `io` is attached to. */
  http: NetServer;
  /** True if there are other processes on the same database. */
  hasOtherProcesses: boolean;
  store: Pick<Store, 'users' | 'rooms' | 'presence'>;
  auth: Pick<Auth, 'identify'>;
  isSuspended: (user: string) => Promise<boolean>;
  feed: Pick<Feed, 'reconcileHeads' | 'hosted' | 'release'>;
  catchUp: CatchUp;
  names: Pick<Names, 'changed' | 'refresh'>;
  perform: Perform;
  smallRooms: Pick<SmallRooms, 'isSmall'>;
  presence: Pick<PresenceService, 'sign' | 'ended' | 'watch' | 'heard'>;
  backpressure: Backpressure;
  work: WorkMeter;
  /** Requests per second and device. */
  frameLimiter: Limiter;
  onLimit: OnLimit;
  allowedOrigins: readonly string[];
  contextOf: (request: IncomingMessage) => RequestContext;
  /** Called with the request of each handshake that is authenticated. */
  onAuthenticated: (request: IncomingMessage) => void;
  hosts: HostCheck;
  metrics: Metrics;
  audit: Audit;
  logger: Logger;
}

/** The Socket.IO server of this process. `adapter`: connects it to the other processes, if there are any. */
export function createSocketServer({
  http,
  adapter,
  hasOperators,
  allowedOrigins,
  logger,
}: {
  http: WebServer;
  adapter: AdapterConstructor | undefined;
  /** True: packets of the namespace `/admin` are accepted. */
  hasOperators: boolean;
  allowedOrigins: readonly string[];
  logger: Pick<Logger, 'warn'>;
}): LiveServer {
  const compression = chooseCompression(logger);
  const io: LiveServer = new Server(http, {
    serveClient: false,
    ...(adapter ? { adapter } : {}),
    maxHttpBufferSize: FRAME_MAX_BYTES,
    connectTimeout: CONNECTED_WITHIN_MS,
    parser: hasOperators ? parserWithOperators : boundedParser,
    perMessageDeflate: compression.perMessageDeflate,
    cors: { origin: [...allowedOrigins], credentials: true },
  });
  compression.attach(io);
  boundMessages(io.engine, http);
  http.prependListener('upgrade', joinFirstWrites);
  return io;
}

/** The answer to an upgrade and the first packet of Engine.IO leave in one write. */
function joinFirstWrites(_: IncomingMessage, socket: Duplex): void {
  socket.cork();
  setImmediate(() => socket.uncork());
}

/**
 * Sends to all sockets of this process in a room. Encoded once, not compressed. A slow client gets `heads` later instead of
 * `entries` now.
 */
export function broadcastBy(io: LiveServer, { replaces }: Pick<Backpressure, 'replaces'>): Broadcast {
  const { adapter, sockets } = io.of('/');
  return (room, name, payload) => {
    const ids = adapter.rooms.get(socketsOf.room(room));
    if (!ids) return;
    const { packets, options, length } = encodeOnce(adapter, [name, payload]);
    const head = name === 'entries' ? (payload as Entries).entries.at(-1)!.serverOffset : undefined;
    for (const id of ids) {
      const socket = sockets.get(id);
      if (!socket || (head !== undefined && replaces(socket, room, head, length))) continue;
      (socket.client as unknown as Writable).writeToEngine(packets, options);
    }
  };
}

/** Socket.IO's client, which all sockets of one connection share. Its adapter writes a room's frames the same way. */
interface Writable {
  writeToEngine(packets: unknown, options: object): void;
}

/** As the adapter does for a broadcast: the options hold the ready frame of a WebSocket. `length` in UTF-16 units. */
function encodeOnce(adapter: unknown, data: unknown[]) {
  const options = { preEncoded: true, volatile: false, compress: false };
  const packet = { type: PacketType.EVENT, nsp: '/', data };
  const packets = (adapter as { _encode(packet: object, options: object): string[] })._encode(
    packet,
    options,
  );
  return { packets, options, length: packets[0]?.length ?? 0 };
}

export function createRealtime({
  io,
  http,
  hasOtherProcesses,
  allowedOrigins,
  contextOf,
  hosts,
  store,
  auth,
  isSuspended,
  feed,
  catchUp,
  names,
  perform,
  smallRooms,
  presence,
  backpressure,
  work,
  onAuthenticated,
  frameLimiter,
  onLimit,
  metrics,
  audit,
  logger,
}: Deps): Realtime {
  const monotonic = () => performance.now();
  const admission = createAdmission({ io, now: monotonic, onLimit });
  guardRequests(http, allowedOrigins, (request) => {
    if (!request.url?.startsWith('/socket.io/')) return undefined;
    const context = contextOf(request);
    const isOwnHost = hosts.isOwn(context.host);
    if (isOwnHost && mayAct(context)) return undefined;
    const code = isOwnHost ? 'forbidden' : 'unknown-host';
    metrics.connectionRefusals.inc({ code });
    audit.record('connection', { address: addressKey(context.address), code });
    return isOwnHost ? FOREIGN_PAGE : foreignHost(hosts.sentence);
  });

  const isAlive = createBatchLoader<string, boolean>({
    load: async (devices) => {
      const alive = await store.users.devicesAlive(devices);
      return devices.map((device) => alive.has(device));
    },
    most: KEYS_PER_READ,
  });
  const hidesReads = createBatchLoader<string, boolean>({
    load: async (users) => {
      const found = await store.presence.of(users);
      return users.map((user) => found.get(user)?.hidesReads === true);
    },
    most: KEYS_PER_READ,
  });
  const passOnTyping = createPassOnTyping({ smallRooms, now: monotonic });
  const localSockets = createLocalSockets({ io, catchUp, logger, now: monotonic });
  let reconciler: Reconciler | undefined;

  io.on('userChanged', names.changed);
  io.on('presence', presence.heard);
  io.use(createHandshakeGuard({ auth, admission, contextOf, onAuthenticated, metrics, audit, logger }));
  const strangers = createStrangers<LiveSocket['conn']>({
    ofAddress: STRANGERS_OF_ADDRESS,
    inAll: STRANGERS,
    evict(connection) {
      metrics.evictedClients.inc({ reason: 'strangers' });
      connection.close(true);
    },
  });
  io.engine.on('connection', (connection: LiveSocket['conn']) => {
    boundPackets(connection as unknown as Parameters<typeof boundPackets>[0], () =>
      metrics.evictedClients.inc({ reason: 'flood' }),
    );
    const address = addressKey(contextOf(connection.request).address);
    strangers.add(address, connection);
    connection.once('close', () => strangers.remove(address, connection));
  });
  io.engine.on('connection_error', (error: { code: number }) =>
    metrics.connectionRefusals.inc({ code: `engine-${error.code}` }),
  );
  io.on('connection', (socket) => {
    const recipient = socket.data;
    const { user, device } = recipient.identity;
    countConnections();
    names.changed(user);
    allowLargeMessages(socket.conn as unknown as Parameters<typeof allowLargeMessages>[0]);
    strangers.remove(recipient.payer.address, socket.conn);
    recipient.onlyOpenRoom = backpressure.wasSlow(device);
    void socket.join([socketsOf.user(user.id), socketsOf.device(device)]);
    hidesReads(user.id).then(
      (hides) => hides && socket.join(socketsOf.hidingReads),
      () => {}, // the store is away, and so is what would be told
    );
    admission.entered(socket);
    dispatch(socket, {
      perform,
      passOnTyping,
      presence,
      frameLimiter,
      backpressure,
      offended: () => admission.offended(socket),
      isSignedIn: () => isSignedIn(socket),
      onLimit,
      metrics,
      logger,
    });
    logger.debug({ socket: socket.id, transport: socket.conn.transport.name }, 'socket connected');
    recipient
      .inOrder(async () => {
        const units = await catchUp.welcome(recipient, () => isSignedIn(socket));
        if (units === undefined) socket.disconnect(true);
        else work.charge(recipient.payer, 'reads', units);
        recipient.onlyOpenRoom = false;
      })
      .catch((error: unknown) => {
        logger.warn({ err: error }, 'welcome failed; closing the connection so that the client reconnects');
        endConnection(socket);
      });
    socket.on('disconnect', (reason) => {
      logger.debug({ socket: socket.id, reason }, 'socket disconnected');
      presence.ended(socket.id);
      countConnections();
    });
  });

  function countConnections() {
    metrics.connections.set(io.of('/').sockets.size);
  }

  /** The device may have been signed out, or its user suspended, after the handshake, before this socket was in its Socket.IO rooms. */
  async function isSignedIn(socket: LiveSocket): Promise<boolean> {
    const { device, user } = socket.data.identity;
    return (await isAlive(device)) && !(await isSuspended(user.id));
  }

  return {
    start() {
      reconciler = startReconciler({ io, localSockets, feed, names, store, logger });
    },
    applyMembership: localSockets.applyMembership,
    begun: localSockets.begun,
    reconcile: () => reconciler?.checkNow(),
    devices: () => [...new Set([...io.of('/').sockets.values()].map(({ data }) => data.identity.device))],
    disconnectDevice: (device) => io.in(socketsOf.device(device)).disconnectSockets(true),
    disconnectUser: (user) => io.in(socketsOf.user(user)).disconnectSockets(true),
    disconnectHere(users) {
      const { rooms } = io.of('/').adapter;
      for (const user of users)
        if (rooms.has(socketsOf.user(user))) io.local.in(socketsOf.user(user)).disconnectSockets(true);
    },
    async sendUser(user) {
      names.changed(user);
      const rooms = (await store.rooms.ofUsers([user.id])).get(user.id) ?? [];
      const sockets = [socketsOf.user(user.id), ...rooms.map(socketsOf.room)];
      io.to(sockets).emit('user', { user });
      if (hasOtherProcesses) io.serverSideEmit('userChanged', user);
    },
    sendRead: (user, room, upTo) => io.to(socketsOf.user(user)).emit('read', { room, user, upTo }),
    sendSettings: (user, frame) => io.to(socketsOf.user(user)).emit('settings', frame),
    sendPresence(id, room, frame) {
      const socket = io.of('/').sockets.get(id);
      if (!socket?.data.isIn(room)) return false;
      socket.data.emit('presence', frame);
      return true;
    },
    sendPresenceTo: (user, frame) => io.to(socketsOf.user(user)).emit('presence', frame),
    sharePresence(message) {
      if (hasOtherProcesses) io.serverSideEmit('presence', message);
    },
    sendReaders(frame, except) {
      const left = [socketsOf.hidingReads, ...(except === undefined ? [] : [socketsOf.user(except)])];
      io.to(socketsOf.room(frame.room)).except(left).emit('readers', frame);
    },
    setHidingReads(user, hides) {
      const sockets = io.in(socketsOf.user(user));
      if (hides) sockets.socketsJoin(socketsOf.hidingReads);
      else sockets.socketsLeave(socketsOf.hidingReads);
    },
    authenticated(connection) {
      const request: IncomingMessage | undefined = connection.request;
      if (!request) return; // it was dropped: a handshake here came first
      strangers.remove(addressKey(contextOf(request).address), connection);
      onAuthenticated(request);
    },
    async sayBye() {
      const { sockets } = io.of('/');
      const spread = Math.min(BYE_SPREAD_MAX_MS, sockets.size * BYE_SPREAD_MS);
      for (const { data } of sockets.values())
        data.emit('bye', { retryAfter: BYE_RETRY_AFTER_MS + Math.floor(Math.random() * spread) });
    },
    async close() {
      reconciler?.stop();
      backpressure.stop();
      // Ends connections, not sockets: a client whose socket is disconnected does not reconnect.
      for (const socket of io.of('/').sockets.values()) endConnection(socket);
      await allClosed(io, FLUSH_TIMEOUT_MS);
      io.engine.close();
      // The adapter may ask the database to end a change stream, and the database may be gone.
      await withTimeout(FLUSH_TIMEOUT_MS, Promise.resolve(io.of('/').adapter.close())).catch(() => {});
    },
  };
}

/** Of devices and users. */
const KEYS_PER_READ = 500;
/** How long a connection may take to flush its last frames before it is dropped. */
const FLUSH_TIMEOUT_MS = 500;

async function allClosed(io: LiveServer, withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (io.engine.clientsCount > 0 && performance.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 5));
}

type Acknowledge = (answer: unknown) => void;

/** Handles the frames that a socket sends: rate limit, check of the request's name, `perform`, acknowledgement. */
function dispatch(
  socket: LiveSocket,
  {
    perform,
    passOnTyping,
    presence,
    frameLimiter,
    backpressure,
    offended,
    isSignedIn,
    onLimit,
    metrics,
    logger,
  }: Pick<
    Deps,
    'perform' | 'presence' | 'frameLimiter' | 'backpressure' | 'onLimit' | 'metrics' | 'logger'
  > & {
    offended: () => void;
    /** Asks the store. */
    isSignedIn: () => Promise<boolean>;
    passOnTyping: PassOnTyping;
  },
): void {
  const { device } = socket.data.identity;
  const isLogged = logger.isLevelEnabled('debug');
  let requestsBefore = 0;
  let isEnded = false;
  socket.on('disconnect', (reason) => {
    isEnded = reason === ENDED_BY_SERVER;
  });
  const mayBegin = async () => socket.connected || (!isEnded && isSignedIn());
  const count = (event: string, code: string) => metrics.refusals.inc({ event, code });
  const appends = createLine(
    APPENDS_WAITING,
    'Too many appends of this socket are pending; send one at a time.',
    mayBegin,
    count,
  ); // L5
  const reads = createLine(
    READS_WAITING,
    'Too many requests of this socket are pending; send fewer at a time.',
    mayBegin,
    count,
  );

  socket.onAny((event: string, ...args: unknown[]) => {
    const answered = typeof args.at(-1) === 'function' ? (args.pop() as Acknowledge) : undefined;
    const name = isRequest(event) ? event : undefined;
    const isSign = (event === 'typing' || event === 'here') && !answered;
    const known = name ?? (isSign ? event : 'other');
    metrics.frames.inc({ event: known });
    const id = `${socket.id}/${++requestsBefore}`;
    const begun = isLogged ? performance.now() : 0;
    const log = (code: string) =>
      logger.debug({ id, request: known, code, ms: Math.round(performance.now() - begun) }, 'request');
    if (isLogged && !answered) log('no answer');
    const acknowledge = (answer: Acknowledgement<AnsweredName>) => {
      if (!answer.ok && answer.error.code === 'rate-limited') offended();
      if (isLogged && answered) log(codesOf(answer).join(' ') || 'ok');
      answered?.(answer);
      if (name !== undefined && IS_READ.has(name)) backpressure.sent(socket); // others are short
    };
    const refuse = (error: WireError) => {
      count(name ?? 'other', error.code);
      acknowledge(refusal(error));
    };

    const retryAfter = frameLimiter.take(device, 1);
    if (retryAfter > 0) {
      onLimit('frames', socket.data.payer);
      return refuse(
        wireError('rate-limited', `More than ${FRAMES_PER_SECOND} requests per second.`, retryAfter),
      );
    }
    if (isSign && event === 'typing') return void passOnTyping(socket, args[0]);
    if (isSign) return takeHere(args[0]);
    if (!answered) return; // without an acknowledgement callback the request cannot be answered: count it and drop it
    if (event === TOO_LARGE_EVENT) return refuse(wireError('too-large', 'The request is too large.'));
    if (!name) return refuse(wireError('invalid', 'This request does not exist in the protocol.'));
    if (args.length > 1) return refuse(wireError('invalid', 'A request has exactly one payload.'));

    const { payer } = socket.data;
    const transport = socket.data.isPolling() ? 'polling' : 'websocket';
    const answer = () => perform(name, socket.data.identity.user, args[0], { transport, payer, id });
    void answerOf(name, answer).then((result) => {
      if (name === 'presence' && result.ok && socket.connected)
        presence.watch(
          socket.id,
          socket.data.identity.user.id,
          args[0] as Request<'presence'>,
          result as Answer<'presence'>,
        );
      acknowledge(result);
    });
  });

  function takeHere(payload: unknown): void {
    const parsed = parseUpToFault(requests.here, payload);
    if (parsed.ok) presence.sign(socket.id, socket.data.identity.user.id, parsed.value.here);
  }

  function answerOf(name: AnsweredName, answer: () => Promise<Acknowledgement<AnsweredName>>) {
    if (name === 'append') return appends(name, answer);
    if (!IS_READ.has(name)) return answer();
    return reads(name, async () => {
      await backpressure.drained(socket);
      return answer();
    });
  }
}

/** Requests whose answers may be long: one at a time, when the client has received most of what it was sent before. */
const IS_READ: ReadonlySet<AnsweredName> = new Set(['range', 'room:list']);

type Answering = () => Promise<Acknowledgement<AnsweredName>>;

/**
 * Socket.IO's reason where `disconnect` was called: the device is signed out, or its user is suspended. Where the connection
 * dropped it is another one, and so it is where the server ends a connection (`endConnection`).
 */
const ENDED_BY_SERVER = 'server namespace disconnect';

/**
 * Runs requests one at a time, in order; beyond `maxWaiting` they are refused. The deadline runs from the arrival, not from
 * a request's turn: one that timed out while it waited is not begun, nor is one whose user may not go on by then. Never rejects.
 * `count`: called for each refusal of one that was not begun and whose client may hear of it. Those that were begun are counted
 * where they are performed.
 */
function createLine(
  maxWaiting: number,
  message: string,
  mayBegin: () => Promise<boolean>,
  count: (name: AnsweredName, code: string) => void,
): (name: AnsweredName, answer: Answering) => ReturnType<Answering> {
  const inOrder = createSerial();
  let pending = 0;
  return async (name, answer) => {
    let isLate = false;
    let isBegun = false;
    const refuse = (error: unknown) => {
      const wire = toWireError(error);
      if (!isBegun) count(name, wire.code);
      return refusal(wire);
    };
    const begin = async () => {
      if (isLate || !(await mayBegin())) return NOT_BEGUN;
      isBegun = true;
      return answer();
    };
    if (pending >= maxWaiting) return refuse(new Unavailable(message));
    pending++;
    const result = inOrder(begin).finally(() => pending--);
    try {
      return await withTimeout(ACKNOWLEDGE_WITHIN_MS, result);
    } catch (error) {
      isLate = true;
      return refuse(error);
    }
  };
}

/** Nobody hears it, and it is not counted: the request was answered when its time was over, or the socket is closed. */
const NOT_BEGUN = refusal(wireError('unavailable', 'The request was not begun.'));

function isRequest(event: string): event is AnsweredName {
  return Object.hasOwn(answers, event);
}
