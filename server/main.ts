/** The process: configuration in, a store chosen, the app composed, signals heeded. */
import { join } from 'node:path';
import { SHUTDOWN_WITHIN_MS } from '../shared/limits.ts';
import { createApp } from './app.ts';
import { type Config, ConfigError, parseEnv } from './env.ts';
import { openAt } from './lan.ts';
import { createLogger } from './logger.ts';
import { onStopSignal, runShutdown } from './shutdown.ts';
import { Unusable } from './store/port.ts';
import { openSqlite } from './store/sqlite/index.ts';

const EX_CONFIG = 78; // sysexits.h: something was found in an unconfigured or misconfigured state

try {
  await run(parseEnv(process.env));
} catch (error) {
  if (!(error instanceof ConfigError || error instanceof Unusable)) throw error;
  console.error(error.message);
  process.exit(EX_CONFIG);
}

async function run(config: Config) {
  const logger = createLogger(config.logLevel);
  const store = await openSqlite({ file: join(config.data, 'holdfast.db'), log: logger });
  const app = createApp({ config, store, logger });
  onStopSignal(process, () => runShutdown(app.shutdown, SHUTDOWN_WITHIN_MS, logger), process.exit);
  const { port } = await app.listen();
  console.log(openAt({ ...config, port }));
}
