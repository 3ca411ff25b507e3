/**
 * The server process: handles signals, reads the configuration, opens the store, and starts the app. With WORKERS it is the
 * primary, which starts this program again as its workers.
 */
import cluster from 'node:cluster';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerApp } from './app.ts';
import type { Config } from './base/env.ts';
import { EX_CONFIG, EX_TEMPFAIL } from './base/exitCodes.ts';
import type { Logger } from './base/logger.ts';
import { SHUTDOWN_WITHIN_MS } from './base/serverLimits.ts';
import { onStopSignal, runShutdown, type ShutdownOutcome } from './shutdown.ts';
import { PRIVATE_UMASK } from './store/sqlite/fileModes.ts';

process.umask(PRIVATE_UMASK);
// Until the store is open there is nothing to shut down. What it was doing, such as a migration, can be killed at any moment.
let shutdown = async (): Promise<ShutdownOutcome> => ({ tag: 'done' });
const stop = onStopSignal(process, () => shutdown(), process.exit);
if (cluster.isWorker) {
  // A terminal sends both to all of its processes; a worker hears from its primary what to do.
  process.removeAllListeners('SIGINT').on('SIGINT', () => {});
  process.on('SIGHUP', () => {});
}

// After the handlers, since it takes seconds on a small machine: in a container the server is process 1, and the kernel drops
// a SIGTERM to that process while it has no handler.
const { createApp } = await import('./app.ts');
const { watchDescriptors } = await import('./base/descriptors.ts');
const { ConfigError, parseEnv } = await import('./base/env.ts');
const { createLogger } = await import('./base/logger.ts');
const { startupLine } = await import('./startupLine.ts');
const { Unavailable, Unusable } = await import('./store/port.ts');
const { openSqlite } = await import('./store/sqlite/index.ts');

try {
  await run(await readConfig());
} catch (error) {
  if (error instanceof Unavailable) {
    console.error(error.message);
    process.exit(EX_TEMPFAIL);
  }
  if (!(error instanceof ConfigError || error instanceof Unusable)) throw error;
  console.error(error.message);
  process.exit(EX_CONFIG);
}

async function readConfig(): Promise<Config> {
  try {
    return parseEnv(process.env);
  } catch (error) {
    if (!cluster.isWorker || !process.env.TLS_CERT_FILE?.trim()) throw error;
    const { tlsOfPrimary } = await import('./workerMessages.ts');
    return parseEnv(process.env, await tlsOfPrimary());
  }
}

async function run(config: Config) {
  const logger = createLogger(config.logLevel);
  watchDescriptors(logger);
  if (config.workers > 1 && cluster.isPrimary) return runPrimary(config, logger);
  const end = Promise.withResolvers<Error>();
  let app: ServerApp | undefined;
  // Without TLS the default stays: the process ends with its terminal.
  if (config.tls && !cluster.isWorker) process.on('SIGHUP', () => app?.reloadTls());
  const connectionSource = cluster.isWorker ? await sourceOfWorker(config) : undefined;
  const opened = await openStore(config, logger, end.resolve);
  app = createApp({ config, ...opened, connectionSource, logger });
  const { shutdown: steps } = app;
  // of workers the primary knows whether all of them stop
  const drainMs = cluster.isWorker ? 0 : config.drainMs;
  let isOpen = false;
  shutdown = async () => {
    if (isOpen && drainMs > 0) {
      app?.drain();
      await Promise.race([sleep(drainMs), end.promise]);
    }
    return runShutdown(steps, SHUTDOWN_WITHIN_MS, logger);
  };
  const open = await app.listen();
  if (!open) return;
  isOpen = true;
  if (!cluster.isWorker) console.log(startupLine({ ...config, port: open.port }));
  void end.promise.then(({ message }) => {
    console.error(message);
    stop(EX_CONFIG);
  });
}

async function runPrimary(config: Config, logger: Logger): Promise<void> {
  const { startPrimary } = await import('./primary.ts');
  const primary = startPrimary(config, logger);
  process.on('SIGHUP', () => void primary.roll());
  shutdown = async () => {
    const isOrderly = await primary.stop();
    return isOrderly ? { tag: 'done' } : { tag: 'late', step: 'stop the workers' };
  };
  const code = await primary.listen();
  if (code !== undefined) stop(code);
}

async function sourceOfWorker({ trustProxy }: Config) {
  const { connectionsOfPrimary } = await import('./workerMessages.ts');
  return connectionsOfPrimary(trustProxy.tag !== 'nobody');
}

/** `onEnd`: called when the database cannot be used any longer: it is found to be damaged, or was moved to MongoDB. */
async function openStore(
  { mongodbUrl, data }: Config,
  log: Logger,
  onEnd: (error: Error) => void,
): Promise<OpenStore> {
  if (mongodbUrl === undefined)
    return {
      store: await openSqlite({ file: join(data, 'holdfast.db'), log, onDamage: onEnd, onMoved: onEnd }),
    };
  // Imported here only, so that a server on SQLite does not load the driver.
  const { openMongo } = await import('./store/mongo/index.ts');
  const { socketAdapterOn } = await import('./store/mongo/socketAdapter.ts');
  const store = await openMongo({ url: mongodbUrl, log });
  return { store, adapter: socketAdapterOn(store.streams, log) };
}

type OpenStore = Pick<Parameters<typeof createApp>[0], 'store' | 'adapter'>;
