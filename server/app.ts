/** The composition root: builds the server from a store and a configuration. */
import { randomBytes } from 'node:crypto';
import { statfs } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import type { Registry } from 'prom-client';
import { pairOf } from '../shared/directPair.ts';
import { featuresOf, isFirstKind, kinds, membershipOf, ruleOf, subjectOf } from '../shared/kinds.ts';
import {
  ACKNOWLEDGE_WITHIN_MS,
  FRAMES_PER_SECOND,
  ITEMS_BURST,
  ITEMS_PER_SECOND,
  PERSON_LOOKUPS_PER_MINUTE,
  ROOM_CHANGES_PER_HOUR,
  ROOM_SEARCHES_PER_MINUTE,
  ROOMS_BURST_OF_ADDRESS,
  ROOMS_PER_MINUTE_AND_ADDRESS,
} from '../shared/limits.ts';
import { auditedAuth } from './auth/auditedAuth.ts';
import { createAuth } from './auth/auth.ts';
import { createDeviceUse } from './auth/deviceUse.ts';
import { createKeepers } from './auth/keepers.ts';
import { createPeople } from './auth/people.ts';
import { createSignInLimits } from './auth/signInLimits.ts';
import { createSuspensions } from './auth/suspensions.ts';
import { limitUnknownTokens } from './auth/unknownTokens.ts';
import { createAudit, type OnLimit } from './base/audit.ts';
import type { Config } from './base/env.ts';
import type { Logger } from './base/logger.ts';
import { createMetrics, type MetricsServer, serveMetrics } from './base/metrics.ts';
import {
  ANSWERED_WITHIN_MS,
  HTTP_REQUESTS_OF_ADDRESS,
  READERS_SHOWN_CHANGES,
  ROOM_CHANGES_WAITING,
  STORED_OF_USER,
} from './base/serverLimits.ts';
import { createCatchUp } from './feed/catchUp.ts';
import { createDayHandler } from './feed/dayHandler.ts';
import { createFeed } from './feed/feed.ts';
import { createNames } from './feed/names.ts';
import { createRangeHandler, createReactorsHandler } from './feed/rangeHandler.ts';
import { createKoaApp } from './http/koaApp.ts';
import { createPageFiles } from './http/page.ts';
import { reloadTlsOnChange } from './http/tlsReload.ts';
import { createAppendHandler, createIngest } from './ingest/ingest.ts';
import { addressKey } from './limits/addressKey.ts';
import { createKeyedQueue } from './limits/keyedQueue.ts';
import { createLimiter } from './limits/limiter.ts';
import { createWorkMeter } from './limits/workMeter.ts';
import { cannotListen, listenOn } from './listening.ts';
import { createOperators } from './operators/operators.ts';
import { broadcastBy, createRealtime, createSocketServer } from './realtime/realtime.ts';
import type { AdapterConstructor, LiveServer } from './realtime/socketRecipient.ts';
import { createBackpressure } from './realtime/unsent.ts';
import { guardConnections } from './request/connectionGuard.ts';
import { createHostCheck, warningOfForeignHosts } from './request/hostCheck.ts';
import { createPerform } from './request/perform.ts';
import { requestContextOf } from './request/requestContext.ts';
import { createRequestBound, guardRequests } from './request/requestGuard.ts';
import { takeTurns } from './request/requestTurns.ts';
import { closeIdleConnections, createWebServer, type WebServer } from './request/webServer.ts';
import { createAboutService } from './rooms/aboutService.ts';
import { createAccess } from './rooms/access.ts';
import { createAnnouncements } from './rooms/announcements.ts';
import { createDirectRooms } from './rooms/directRooms.ts';
import { createInvitations } from './rooms/invitations.ts';
import { createMarkWriter } from './rooms/markWriter.ts';
import { createModeration } from './rooms/moderation.ts';
import { createPresenceService } from './rooms/presenceService.ts';
import { createReaderService } from './rooms/readerService.ts';
import { createReports } from './rooms/reports.ts';
import { createRoomLimits } from './rooms/roomLimits.ts';
import { createRoomService } from './rooms/roomService.ts';
import { createSmallRooms } from './rooms/smallRooms.ts';
import type { ShutdownStep } from './shutdown.ts';
import type { NewEntry, Store } from './store/port.ts';

export interface ServerApp {
  /**
   * Resolves with the port when the server accepts requests, or with undefined if it is stopped before: then no port is open.
   * Rejects with `ConfigError` if it cannot listen.
   */
  listen(): Promise<{ port: number } | undefined>;
  /** Reads the TLS files again now. They are also read when they change. */
  reloadTls(): void;
  /** From now on `/readyz` answers 503, so that load balancers send nobody any more. Everything else goes on. */
  drain(): void;
  /** In this order: refuse new requests, finish the accepted ones, say `bye`, close. */
  shutdown: ShutdownStep[];
}

interface Deps {
  config: Config;
  store: Store;
  /** The Socket.IO adapter that connects several processes on one database; undefined for a single process. */
  adapter?: AdapterConstructor | undefined;
  /** Where connections come from, if not from listening. */
  connectionSource?: ConnectionSource | undefined;
  logger: Logger;
}

/** Of a worker: its primary listens, and serves the metrics. */
export interface ConnectionSource {
  /** A connection comes when its first bytes were read, which are not counted again. */
  hasFirstByte: boolean;
  /** Called when the server can handle connections: each is to be passed on by its event `connection`. */
  open(parts: { http: WebServer; io: LiveServer; registry: Registry; drain: () => void }): void;
}

export function createApp({ config, store, adapter, connectionSource, logger }: Deps): ServerApp {
  const { now } = store;
  const monotonic = () => performance.now();
  const metrics = createMetrics(store.waiting, () => feed.isOpen());
  const audit = createAudit({ logger, isOn: config.auditLog, key: randomBytes(32), now: monotonic });
  const onLimit: OnLimit = (limit, who) => {
    metrics.limitHits.inc({ limit });
    audit.record('limit', { ...who, limit });
  };
  const names = createNames(store.users);
  const access = createAccess({ rooms: store.rooms, isTailOpen: () => feed.isOpen() });
  const announcements = createAnnouncements({
    rooms: store.rooms,
    isTailOpen: () => feed.isOpen(),
    now: monotonic,
  });
  const smallRooms = createSmallRooms({ rooms: store.rooms, now: monotonic });
  const itemLimiter = createLimiter({ perSecond: ITEMS_PER_SECOND, burst: ITEMS_BURST, now: monotonic });
  const frameLimiter = createLimiter({
    perSecond: FRAMES_PER_SECOND,
    burst: FRAMES_PER_SECOND,
    now: monotonic,
  });
  const accepts = ({ room, kind, content }: NewEntry) =>
    (isFirstKind(kind) && content === undefined && !pairOf(room)) || store.takesNewKinds();
  const features = () => (store.takesNewKinds() ? featuresOf(kinds()) : []);
  const direct = createDirectRooms({
    rooms: store.rooms,
    users: store.users,
    log: store.log,
    onRefusal: (limit, user) => onLimit(limit, { user }),
    now,
  });
  const roomLimits = createRoomLimits({
    store: store.rooms,
    items: itemLimiter,
    creations: createLimiter({
      perSecond: ROOMS_PER_MINUTE_AND_ADDRESS / 60,
      burst: ROOMS_BURST_OF_ADDRESS,
      now: monotonic,
    }),
    onRefusal: (limit, user) => onLimit(limit, { user }),
    now,
  });
  const inTurn = createKeyedQueue({
    maxWaiting: ROOM_CHANGES_WAITING,
    waitMs: ACKNOWLEDGE_WITHIN_MS,
    now: monotonic,
  });
  const ingest = createIngest({
    log: store.log,
    accepts,
    access,
    announcements,
    direct,
    creations: roomLimits,
    inTurn,
    rankOf: (user, room) => moderation.rankIn(user, room),
    limiter: itemLimiter,
    onLimit,
    metrics,
    logger,
    now,
  });
  const marks = createMarkWriter({ store: store.rooms, logger, now: monotonic });
  const roomStore = marks.overlay(store.rooms);
  const deviceUse = createDeviceUse({ store: store.users, now, logger });
  const signInLimits = createSignInLimits(monotonic, onLimit);
  const onSignedOut = (device: string) => realtime.disconnectDevice(device);
  const keepers = createKeepers({
    store: store.keepers,
    users: store.users,
    limits: signInLimits,
    now,
    ticks: monotonic,
    random: randomBytes,
    onSignedOut,
    audit,
  });
  const suspensions = createSuspensions({
    store: store.keepers,
    now,
    ticks: monotonic,
    disconnect: (user) => realtime.disconnectUser(user),
    disconnectHere: (users) => realtime.disconnectHere(users),
  });
  const people = createPeople({
    keepers,
    keeperIds: store.keepers.all,
    suspensions,
    users: store.users,
    limits: signInLimits,
    now,
    onSignedOut,
    onRenamed: (user) => realtime.sendUser(user),
    audit,
  });
  const moderation = createModeration({
    store: store.rooms,
    entries: ingest,
    access,
    names,
    limits: roomLimits,
    keeperRole: keepers.roleOf,
    onRemoved: (user, room) => invitations.left(user, room),
    isOn: store.takesNewKinds,
    random: randomBytes,
  });
  const about = createAboutService({
    store: store.rooms,
    log: store.log,
    entries: ingest,
    moderation,
    limits: roomLimits,
    changes: createLimiter({
      perSecond: ROOM_CHANGES_PER_HOUR / 3_600,
      burst: ROOM_CHANGES_PER_HOUR,
      now: monotonic,
    }),
    onRefusal: (limit, user) => onLimit(limit, { user }),
  });
  const invitations = createInvitations({
    store: store.invitations,
    rooms: store.rooms,
    users: store.users,
    roleOf: keepers.roleOf,
    moderation,
    limits: signInLimits,
    signUp: config.signUp,
    now,
    random: randomBytes,
    audit,
  });
  const reports = createReports({
    store: store.reports,
    rooms: store.rooms,
    users: store.users,
    log: store.log,
    access,
    moderation,
    keepers,
    keeperIds: store.keepers.all,
    names,
    inTurn,
    onRefusal: (limit, user) => onLimit(limit, { user }),
    now,
    random: randomBytes,
    audit,
  });
  /** After what `user` lost in the room. Where it fails, the next look at the room's reports does it. */
  const reviewReports = (room: string, user: string) =>
    reports
      .review(room, user)
      .catch((error) => logger.warn({ err: error, room }, 'the reports of a room were not reviewed'));
  const rooms = createRoomService({
    store: roomStore,
    users: store.users,
    names,
    lookUps: createLimiter({
      perSecond: PERSON_LOOKUPS_PER_MINUTE / 60,
      burst: PERSON_LOOKUPS_PER_MINUTE,
      now: monotonic,
    }),
    searches: createLimiter({
      perSecond: ROOM_SEARCHES_PER_MINUTE / 60,
      burst: ROOM_SEARCHES_PER_MINUTE,
      now: monotonic,
    }),
    entries: ingest,
    access,
    limits: roomLimits,
    invitations,
    moderation,
    inTurn,
    raiseMark: marks.raise,
    knownHead: (room) => feed.knownHead(room),
    now,
  });
  const readerService = createReaderService({
    store: roomStore,
    names,
    access,
    direct,
    smallRooms,
    tell: (frame, except) => realtime.sendReaders(frame, except),
    settings: store.presence,
    log: store.log,
    setHiding(user, hides) {
      realtime.setHidingReads(user, hides);
      realtime.sendPresenceTo(user, { again: true });
    },
    changes: createLimiter({ ...READERS_SHOWN_CHANGES, now: monotonic }),
    reports: createLimiter({ ...STORED_OF_USER, now: monotonic }),
  });
  const presence = createPresenceService({
    store: store.presence,
    rooms: store.rooms,
    users: store.users,
    names,
    access,
    direct,
    tell: (socket, room, frame) => realtime.sendPresence(socket, room, frame),
    tellUser: (user, frame) => realtime.sendPresenceTo(user, frame),
    send: adapter && ((message) => realtime.sharePresence(message)),
    process: randomBytes(16).toString('base64url'),
    logger,
    ticks: monotonic,
    now,
  });
  const plainAuth = createAuth({
    store: store.users,
    now,
    random: (bytes) => randomBytes(bytes),
    limits: signInLimits,
    signUp: config.signUp,
    admit: invitations.useToSignUp,
    deviceUse,
    onUserCreated: rooms.joinLobby,
    onSignedOut,
    onRenamed: (user) => realtime.sendUser(user),
    checkSuspended: suspensions.check,
    roleOf: keepers.roleOf,
    features,
  });
  const identify = limitUnknownTokens(plainAuth.identify, {
    now: monotonic,
    onLimit: (address) => onLimit('unknown tokens', { address }),
  });
  const auth = auditedAuth({ ...plainAuth, identify }, audit);
  const work = createWorkMeter(monotonic, onLimit);
  const perform = createPerform({
    epoch: store.epoch,
    work,
    metrics,
    logger,
    handlers: {
      append: createAppendHandler(ingest),
      range: createRangeHandler({ log: store.log, names, access }),
      read: async (user, request) => {
        const { upTo } = await rooms.read(user, request);
        if (store.isMoving?.()) await marks.stored({ room: request.room, user: user.id, upTo });
        realtime.sendRead(user.id, request.room, upTo);
        readerService.raised({ room: request.room, user: user.id, upTo });
        return {};
      },
      readers: readerService.readers,
      'readers:show': readerService.show,
      stored: async (user, request) => {
        await readerService.stored(user, request);
        return {};
      },
      reached: readerService.reached,
      presence: presence.people,
      'presence:show': presence.show,
      day: createDayHandler({ log: store.log, access }),
      reactors: createReactorsHandler({ log: store.log, names, access }),
      'room:choose': async (user, request) => {
        const chosen = await rooms.choose(user, request);
        realtime.sendSettings(user.id, { room: request.room, ...chosen });
        if (request.blocked !== undefined) {
          realtime.begun(request.room); // the user's other devices may not know the conversation
          presence.forget(request.room);
        }
        return chosen;
      },
      'room:list': rooms.list,
      person: rooms.person,
      'room:get': rooms.get,
      'room:join': (user, request, _, { address }) => rooms.join(user, request, address),
      'room:leave': async (user, request) => {
        await rooms.leave(user, request);
        await reviewReports(request.room, user.id);
        return {};
      },
      'room:roles': moderation.roles,
      'room:role': async (user, request) => {
        await inTurn(user.id, () => moderation.setRole(user, request));
        if (request.role === 'member') await reviewReports(request.room, request.user);
        return {};
      },
      'room:remove': async (user, request) => {
        await inTurn(user.id, () => moderation.remove(user, request));
        await reviewReports(request.room, request.user);
        return {};
      },
      'room:unban': async (user, request) => {
        await inTurn(user.id, () => moderation.unban(user, request));
        return {};
      },
      'room:about': async (user, request) => {
        await inTurn(user.id, () => about.change(user, request));
        return {};
      },
      'room:pin': async (user, request) => {
        await inTurn(user.id, () => about.pin(user, request));
        return {};
      },
      beat: async () => ({ now: now() }),
    },
  });

  let stopping = false;
  const drain = () => {
    stopping = true;
  };
  const isReady = async () => {
    if (stopping || !feed.isOpen()) return false;
    return store.ping().then(
      () => true,
      () => false,
    );
  };
  const hosts = warningOfForeignHosts(createHostCheck(config, hostname()), { logger, now: monotonic });
  const contextOf = memoized((request: IncomingMessage) => requestContextOf(request, config));
  const koa = createKoaApp({
    contextOf,
    allowedOrigins: config.allowedOrigins,
    auth,
    keepers,
    people,
    diskSpace: async () => (config.mongodbUrl === undefined ? spaceOf(config.data) : undefined),
    invitations,
    reports,
    perform,
    work,
    frameLimiter,
    onLimit,
    onAuthenticated: (request) => connections.authenticated(request),
    hosts,
    isReady,
    page: createPageFiles(config.page, monotonic),
    hasAdmin: config.admin !== undefined,
    metrics,
    audit,
    logger,
  });
  const http = createWebServer(config.tls, koa.callback());
  const tls =
    config.tls &&
    reloadTlsOnChange({
      tls: config.tls,
      apply: (pair) => 'setSecureContext' in http && http.setSecureContext(pair),
      logger,
    });
  if (tls) metrics.watchCertificate(tls.validTo);
  const io = createSocketServer({
    http,
    adapter,
    hasOperators: config.admin !== undefined,
    allowedOrigins: config.allowedOrigins,
    logger,
  });
  const backpressure = createBackpressure({
    io,
    onMeasured: (bytes) => metrics.unsentBytes.set(bytes),
    onEvicted: (reason) => metrics.evictedClients.inc({ reason }),
  });
  const feed = createFeed({
    log: store.log,
    names,
    broadcast: broadcastBy(io, backpressure),
    onMembership(room, entry) {
      if (membershipOf(entry) === 'joined') access.joined(room, subjectOf(entry));
      else access.left(room, subjectOf(entry), ruleOf(entry.kind)?.sets === 'ban');
      smallRooms.changed(room);
      presence.moved(room, subjectOf(entry), membershipOf(entry) === 'joined');
      realtime.applyMembership(room, entry);
    },
    onAbout: announcements.changed,
    onBegun(room) {
      smallRooms.changed(room);
      realtime.begun(room);
    },
    onGap() {
      access.clear();
      announcements.clear();
      smallRooms.clear();
      presence.clear();
      realtime.reconcile();
    },
    onLag: (ms) => metrics.tailLagSeconds.observe(ms / 1000),
    onFanOut: (ms) => metrics.fanOutSeconds.observe(ms / 1000),
    ticks: monotonic,
    now,
  });
  const catchUp = createCatchUp({
    store: { epoch: store.epoch, log: store.log, users: store.users, rooms: roomStore },
    feed,
    names,
    features,
    logger,
    now,
  });
  const realtime = createRealtime({
    io,
    http,
    hasOtherProcesses: adapter !== undefined,
    allowedOrigins: config.allowedOrigins,
    contextOf,
    hosts,
    store,
    auth,
    isSuspended: suspensions.isSuspended,
    feed,
    catchUp,
    names,
    perform,
    smallRooms,
    presence,
    backpressure,
    work,
    onAuthenticated: (request) => connections.authenticated(request),
    frameLimiter,
    onLimit,
    metrics,
    audit,
    logger,
  });
  const operators =
    config.admin &&
    createOperators({
      io,
      settings: config.admin,
      hasOtherProcesses: adapter !== undefined,
      contextOf,
      onAuthenticated: realtime.authenticated,
      onLimit,
      metrics,
      audit,
      logger,
      now,
      ticks: monotonic,
    });
  const requestsOfAddress = createLimiter({ ...HTTP_REQUESTS_OF_ADDRESS, now: monotonic });
  const boundRequest = createRequestBound({
    limiter: requestsOfAddress,
    addressOf: (request) => addressKey(contextOf(request).address),
    onLimit,
  });
  guardRequests(http, config.allowedOrigins, boundRequest);
  takeTurns(http);
  const connections = guardConnections(http, {
    countsAddresses: config.trustProxy.tag === 'nobody',
    hasFirstByte: connectionSource?.hasFirstByte ?? false,
    isShunned: (address) => requestsOfAddress.waitFor(address, 1) > 0,
    onClosed(reason, address) {
      metrics.evictedClients.inc({ reason });
      // Browsers open connections in advance, and may never send a byte.
      if (reason !== 'silent') audit.record('connection', { address, code: reason });
    },
    now: monotonic,
  });
  let metricsServer: MetricsServer | undefined;

  return {
    async listen() {
      await feed.start();
      realtime.start();
      presence.start();
      suspensions.start();
      deviceUse.start(realtime.devices);
      if (connectionSource) {
        http.emit('listening'); // from now on Node looks at how long requests take
        connectionSource.open({ http, io, registry: metrics.registry, drain });
        return { port: config.port };
      }
      const { host, port, metricsHost, metricsPort } = config;
      if (stopping) return undefined;
      if (metricsPort !== undefined) {
        metricsServer = await serveMetrics(metrics.registry, metricsHost, metricsPort).catch((error) => {
          throw cannotListen('METRICS_', metricsHost, metricsPort, error);
        });
      }
      if (stopping) return undefined;
      await listenOn(http, { host, port });
      if (stopping) {
        http.close();
        return undefined;
      }
      return { port: (http.address() as AddressInfo).port };
    },
    reloadTls: () => tls?.reload(),
    drain,
    shutdown: [
      {
        name: 'refuse new requests',
        run: () => {
          drain();
          tls?.stop();
          // One that does not listen would tell Engine.IO at once that it is closed.
          if (connectionSource) closeIdleConnections(http);
          else http.close();
          ingest.refuse();
          void operators?.shareSessions(); // takes a second or two, during the other steps
        },
      },
      {
        name: 'finish accepted requests',
        run: async () => {
          await ingest.idle();
          await new Promise(setImmediate); // then the answers have left, too
        },
      },
      { name: 'say bye', run: () => realtime.sayBye() },
      {
        name: 'close sockets',
        run: async () => {
          deviceUse.stop();
          readerService.stop();
          presence.stop();
          suspensions.stop();
          operators?.disconnect();
          await feed.close();
          await realtime.close();
        },
      },
      {
        name: 'close connections',
        run: async () => {
          await connections.stop(ANSWERED_WITHIN_MS);
          await metricsServer?.close();
          audit.flush();
        },
      },
      { name: 'store read markers', run: marks.flush },
      { name: 'share sessions of operators', run: () => operators?.close() },
      { name: 'close the store', run: () => store.close() },
    ],
  };
}

/** Of the disk with this folder, for users other than root. */
async function spaceOf(folder: string): Promise<{ freeBytes: number; totalBytes: number }> {
  const { bavail, blocks, bsize } = await statfs(folder);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}

/** Calls `compute` once for each object. */
function memoized<Key extends WeakKey, Value>(compute: (key: Key) => Value): (key: Key) => Value {
  const known = new WeakMap<Key, Value>();
  return (key) => {
    const value = known.get(key) ?? compute(key);
    known.set(key, value);
    return value;
  };
}
