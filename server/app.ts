/** The composition: a store and a configuration in, a server that listens and can be shut down in order out. */
import { randomBytes } from 'node:crypto';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { featuresOf, isFirstKind, kinds } from '../shared/kinds.ts';
import { FRAMES_PER_SECOND, ITEMS_BURST, ITEMS_PER_SECOND } from '../shared/limits.ts';
import { createAuth } from './auth/auth.ts';
import { createSignInLimits } from './auth/signInLimits.ts';
import { type Config, ConfigError } from './base/env.ts';
import type { Logger } from './base/logger.ts';
import { createMetrics, type MetricsServer, serveMetrics } from './base/metrics.ts';
import { createNames } from './feed/names.ts';
import { createRange } from './feed/range.ts';
import { createHttp } from './http/http.ts';
import { createPageFiles } from './http/pageFiles.ts';
import { visitOf } from './http/visit.ts';
import { createIngest } from './ingest/ingest.ts';
import { createAppend } from './ingest/request.ts';
import { createLimiter } from './limits/limiter.ts';
import { createPerform } from './perform.ts';
import { createRealtime } from './realtime/realtime.ts';
import type { AdapterConstructor } from './realtime/types.ts';
import { createAccess } from './rooms/access.ts';
import { createRooms } from './rooms/rooms.ts';
import type { ShutdownStep } from './shutdown.ts';
import type { Store } from './store/port.ts';

export interface App {
  /** Resolves with the port, when requests are taken. Rejects with `ConfigError` where it cannot listen. */
  listen(): Promise<{ port: number }>;
  /** In this order: stop taking, finish what was taken, say `bye`, close. */
  shutdown: ShutdownStep[];
}

interface Deps {
  config: Config;
  store: Store;
  /** How processes on one database tell each other what is ephemeral; undefined where there is but one. */
  adapter?: AdapterConstructor | undefined;
  logger: Logger;
}

export function createApp({ config, store, adapter, logger }: Deps): App {
  const now = Date.now;
  const monotonic = () => performance.now();
  const metrics = createMetrics();
  const names = createNames(store.users);
  const access = createAccess({ rooms: store.rooms, isHearing: () => realtime.isOpen() });
  const itemLimiter = createLimiter({ perSecond: ITEMS_PER_SECOND, burst: ITEMS_BURST, now: monotonic });
  const frameLimiter = createLimiter({
    perSecond: FRAMES_PER_SECOND,
    burst: FRAMES_PER_SECOND,
    now: monotonic,
  });
  const takes = (kind: string) => isFirstKind(kind) || store.takesNewKinds();
  const features = () => (store.takesNewKinds() ? featuresOf(kinds()) : []);
  const ingest = createIngest({ log: store.log, takes, access, limiter: itemLimiter, metrics, logger, now });
  const rooms = createRooms({ store: store.rooms, ingest, access, now });
  const auth = createAuth({
    store: store.users,
    now,
    random: (bytes) => randomBytes(bytes),
    limits: createSignInLimits(monotonic),
    onUserCreated: rooms.welcomeToLobby,
    onSignedOut: (device) => realtime.disconnectDevice(device),
    onRenamed: (user) => realtime.tellUser(user),
    features,
  });
  const perform = createPerform({
    epoch: store.epoch,
    metrics,
    logger,
    handlers: {
      append: createAppend(ingest),
      range: createRange({ log: store.log, names, access }),
      read: async (user, request) => {
        const { upTo } = await rooms.read(user, request);
        realtime.tellRead(user.id, request.room, upTo);
        return {};
      },
      'room:list': rooms.list,
      'room:create': rooms.create,
      'room:join': rooms.join,
      'room:leave': async (user, request) => {
        await rooms.leave(user, request);
        return {};
      },
      beat: async () => ({ now: now() }),
    },
  });

  let stopping = false;
  const ready = async () => {
    if (stopping || !realtime.isOpen()) return false;
    return store.ping().then(
      () => true,
      () => false,
    );
  };
  const koa = createHttp({
    config,
    auth,
    perform,
    frameLimiter,
    ready,
    page: createPageFiles(config.page, monotonic),
    metrics,
    logger,
  });
  const http = config.tls ? createHttpsServer(config.tls, koa.callback()) : createHttpServer(koa.callback());
  http.requestTimeout = REQUEST_TIMEOUT_MS;
  const realtime = createRealtime({
    http,
    adapter,
    allowedOrigins: config.allowedOrigins,
    visit: (request) => visitOf(request, config),
    store,
    auth,
    access,
    names,
    perform,
    frameLimiter,
    features,
    metrics,
    logger,
    now,
  });
  let metricsServer: MetricsServer | undefined;

  return {
    async listen() {
      await realtime.start();
      await new Promise<void>((resolve, reject) => {
        http.once('error', (error: NodeJS.ErrnoException) => reject(cannotListen(config, error)));
        http.listen(config.port, config.host, resolve);
      });
      if (config.metricsPort !== undefined) {
        metricsServer = await serveMetrics(metrics.registry, config.host, config.metricsPort);
      }
      return { port: (http.address() as AddressInfo).port };
    },
    shutdown: [
      {
        name: 'stop taking',
        run: () => {
          stopping = true;
          http.close();
          ingest.refuse();
        },
      },
      {
        name: 'finish what was taken',
        run: async () => {
          await ingest.idle();
          await new Promise(setImmediate); // by then the answers are on their way, too
        },
      },
      { name: 'say bye', run: () => realtime.sayBye(BYE_RETRY_AFTER_MS) },
      { name: 'close sockets', run: () => realtime.close() },
      {
        name: 'close connections',
        run: async () => {
          http.closeAllConnections();
          await metricsServer?.close();
        },
      },
      { name: 'close the store', run: () => store.close() },
    ],
  };
}

const BYE_RETRY_AFTER_MS = 1_000;
const REQUEST_TIMEOUT_MS = 60_000; // for a whole request to come in: 64 KiB at 1 kB/s

function cannotListen({ host, port }: Config, error: NodeJS.ErrnoException): ConfigError {
  const place = `${host}:${port}`;
  switch (error.code) {
    case 'EADDRINUSE':
      return new ConfigError([
        `Something else listens at ${place} already: stop it, or set PORT to a free one.`,
      ]);
    case 'EACCES':
      return new ConfigError([
        `Listening at ${place} is not allowed for this user: set PORT to one above 1023.`,
      ]);
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new ConfigError([
        `This machine has no address ${host}: set HOST to one that it has, or to 0.0.0.0.`,
      ]);
    default:
      return new ConfigError([`It is not possible to listen at ${place}: ${error.message}.`]);
  }
}
