/** The whole server within the test's process, on its own database: quick to start and easy to inspect. */
import { join } from 'node:path';
import { createApp, type ServerApp } from '../../server/app.ts';
import { type Config, parseEnv } from '../../server/base/env.ts';
import { createLogger, type Logger } from '../../server/base/logger.ts';
import { openMongo } from '../../server/store/mongo/index.ts';
import { socketAdapterOn } from '../../server/store/mongo/socketAdapter.ts';
import type { Store } from '../../server/store/port.ts';
import { openSqlite } from '../../server/store/sqlite/index.ts';
import { temporaryFolder } from './tmp.ts';

export interface RunningApp extends AsyncDisposable {
  url: string;
  store: Store;
  app: ServerApp;
  stop(): Promise<void>;
}

export async function startApp({
  config = {},
  mongodbUrl,
  data,
  wrap = (store: Store) => store,
}: {
  config?: Partial<Config>;
  /** Several apps with the same URL are one chat. */
  mongodbUrl?: string;
  /** A folder with a database, which is kept. Default: a new temporary one. */
  data?: string;
  /** Wraps the store. */
  wrap?: (store: Store) => Store;
} = {}): Promise<RunningApp> {
  const folder = await temporaryFolder();
  const logger = createLogger('silent');
  const { store, adapter } =
    mongodbUrl === undefined
      ? { store: await openSqlite({ file: join(data ?? folder.path, 'holdfast.db'), log: logger }) }
      : await openMongoWithAdapter(mongodbUrl, logger);
  const env = parseEnv({ HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'silent' });
  const app = createApp({ config: { ...env, ...config }, store: wrap(store), adapter, logger });
  const { port } = (await app.listen())!;
  const stop = async () => {
    for (const step of app.shutdown) await step.run();
    await folder.remove();
  };
  return {
    url: `${config.tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    store,
    app,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function openMongoWithAdapter(url: string, log: Logger) {
  const store = await openMongo({ url, log });
  return { store, adapter: socketAdapterOn(store.streams, log) };
}
