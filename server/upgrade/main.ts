/**
 * The command `npm run finish-upgrade`: the last step of an upgrade of several processes on MongoDB, once no process of the
 * older version runs or will be started. Until then old and new processes run side by side, and entries of kinds that the
 * old ones cannot read are refused. Details: server/store/mongo/open/maintenance.ts.
 */
import { ConfigError, parseEnv } from '../base/env.ts';
import { EX_CONFIG, EX_TEMPFAIL } from '../base/exitCodes.ts';
import { createLogger } from '../base/logger.ts';
import { Unavailable, Unusable } from '../store/port.ts';

try {
  const { MONGODB_URL } = process.env; // other settings belong to the server only, and may be secret
  console.log(await finish(parseEnv({ MONGODB_URL }).mongodbUrl));
} catch (error) {
  if (!(error instanceof Unusable || error instanceof Unavailable || error instanceof ConfigError))
    throw error;
  console.error(error.message);
  process.exitCode = error instanceof Unavailable ? EX_TEMPFAIL : EX_CONFIG;
}

async function finish(url: string | undefined): Promise<string> {
  if (url === undefined)
    return 'Without MONGODB_URL there is nothing to do: a SQLite database is upgraded when its server starts.';
  const { finishUpgrade } = await import('../store/mongo/open/maintenance.ts');
  switch (await finishUpgrade(url, createLogger('warn'))) {
    case 'finished':
      return 'The upgrade is finished. Running processes notice it within a minute; processes of an older version cannot use this database any more.';
    case 'was-finished':
      return 'There is nothing to do: this database already belongs to this version.';
  }
}
