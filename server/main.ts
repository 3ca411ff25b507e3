/** The server process: handles signals, reads the configuration, opens the store, and starts the app. */
import { join } from 'node:path';
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

// After the handlers, since it takes seconds on a small machine: in a container the server is process 1, and the kernel drops
// a SIGTERM to that process while it has no handler.
const { createApp } = await import('./app.ts');
const { ConfigError, parseEnv } = await import('./base/env.ts');
const { createLogger } = await import('./base/logger.ts');
const { startupLine } = await import('./startupLine.ts');
const { Unavailable, Unusable } = await import('./store/port.ts');
const { openSqlite } = await import('./store/sqlite/index.ts');

try {
  await run(parseEnv(process.env));
} catch (error) {
  if (error instanceof Unavailable) {
    console.error(error.message);
    process.exit(EX_TEMPFAIL);
  }
  if (!(error instanceof ConfigError || error instanceof Unusable)) throw error;
  console.error(error.message);
  process.exit(EX_CONFIG);
}

async function run(config: Config) {
  const logger = createLogger(config.logLevel);
  const damage = Promise.withResolvers<Error>();
  let app: ServerApp | undefined;
  // Without TLS the default stays: the process ends with its terminal.
  if (config.tls) process.on('SIGHUP', () => app?.reloadTls());
  app = createApp({ config, ...(await openStore(config, logger, damage.resolve)), logger });
  const { shutdown: steps } = app;
  shutdown = () => runShutdown(steps, SHUTDOWN_WITHIN_MS, logger);
  const { port } = await app.listen();
  console.log(startupLine({ ...config, port }));
  void damage.promise.then(({ message }) => {
    console.error(message);
    stop(EX_CONFIG);
  });
}

/** `onDamage`: called when the database is found to be damaged while it is in use. */
async function openStore(
  { mongodbUrl, data }: Config,
  log: Logger,
  onDamage: (error: Error) => void,
): Promise<OpenStore> {
  if (mongodbUrl === undefined)
    return { store: await openSqlite({ file: join(data, 'holdfast.db'), log, onDamage }) };
  // Imported here only, so that a server on SQLite does not load the driver.
  const { openMongo } = await import('./store/mongo/index.ts');
  const { socketAdapterOn } = await import('./store/mongo/socketAdapter.ts');
  const store = await openMongo({ url: mongodbUrl, log });
  return { store, adapter: socketAdapterOn(store.streams, log) };
}

type OpenStore = Pick<Parameters<typeof createApp>[0], 'store' | 'adapter'>;
