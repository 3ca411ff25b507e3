/**
 * The command `npm run finish-upgrade`: the last step of an upgrade of several processes on MongoDB, once no process of the
 * older version runs or will be started. Until then old and new processes run side by side, and entries of kinds that the
 * old ones cannot read are refused. Details: server/store/mongo/open/maintenance.ts.
 */
import { parseEnv } from '../base/env.ts';
import { createLogger } from '../base/logger.ts';
import { runCommand } from '../store/runCommand.ts';

await runCommand(async () => {
  const { MONGODB_URL } = process.env; // other settings belong to the server only, and may be secret
  console.log(await finish(parseEnv({ MONGODB_URL }).mongodbUrl));
});

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
