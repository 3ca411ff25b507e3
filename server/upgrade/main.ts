/**
 * `npm run finish-upgrade`: what an operator of several processes on MongoDB does last when Holdfast is upgraded, once no
 * process of the older version runs any more and none will be started. Until then old and new ones work side by side, and
 * entries of kinds that the old ones cannot read are not taken. (server/store/mongo/finishUpgrade.ts says the rest.)
 */
import { ConfigError, parseEnv } from '../base/env.ts';
import { EX_CONFIG } from '../base/exitCodes.ts';
import { createLogger } from '../base/logger.ts';
import { Unavailable, Unusable } from '../store/port.ts';

try {
  const { MONGODB_URL } = process.env; // the others are the server's, and may be for its eyes only
  console.log(await finish(parseEnv({ MONGODB_URL }).mongodbUrl));
} catch (error) {
  if (!(error instanceof Unusable || error instanceof Unavailable || error instanceof ConfigError))
    throw error;
  console.error(error.message);
  process.exitCode = EX_CONFIG;
}

async function finish(url: string | undefined): Promise<string> {
  if (url === undefined)
    return 'Without MONGODB_URL there is nothing to do: a database of one process is upgraded when that is started.';
  const { finishUpgrade } = await import('../store/mongo/finishUpgrade.ts');
  switch (await finishUpgrade(url, createLogger('warn'))) {
    case 'finished':
      return 'The upgrade is finished. The processes that run know it within a minute; one of an older version cannot use this database any more.';
    case 'was-finished':
      return 'There is nothing to do: this database is for this version already.';
  }
}
