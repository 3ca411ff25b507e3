/** The commands `npm run backup -- FILE` and `npm run restore -- FILE` for operators. They read the server's settings. */
import { join, resolve } from 'node:path';
import { type Config, parseEnv } from '../base/env.ts';
import { EX_USAGE } from '../base/exitCodes.ts';
import { createLogger } from '../base/logger.ts';
import { Unusable } from '../store/port.ts';
import { runCommand } from '../store/runCommand.ts';
import { PRIVATE_UMASK } from '../store/sqlite/fileModes.ts';

const WHAT_FOLLOWS =
  'When apps reconnect, they read everything again and send their waiting messages; users who signed up after the copy was made are asked to sign up again.';

process.umask(PRIVATE_UMASK);
await runCommand(async () => {
  const { DATA, MONGODB_URL } = process.env; // other settings belong to the server only, and may be secret
  await run(process.argv.slice(2), parseEnv({ DATA, MONGODB_URL }));
});

async function run([command, file, ...more]: string[], config: Config): Promise<void> {
  const isOnMongo = config.mongodbUrl !== undefined;
  const wantsFile = !isOnMongo;
  if (more.length > 0 || (wantsFile && file === undefined)) return usage(command);
  if (command === 'backup') return isOnMongo ? useMongodump() : backup(inCaller(file!), config);
  if (command !== 'restore') return usage(command);
  if (isOnMongo) return file === undefined ? afterMongorestore(config.mongodbUrl!) : useMongorestore();
  return restore(inCaller(file!), config);
}

async function backup(to: string, { data }: Config): Promise<void> {
  const { backUp } = await import('../store/sqlite/backup.ts');
  const { lowerPriority } = await import('../store/sqlite/processes.ts');
  lowerPriority(); // the server may be running
  const isPrivate = await backUp(databaseIn(data), to);
  if (!isPrivate)
    console.warn(`${to} can be read by other users of this machine, and its permissions cannot be changed.`);
  console.log(`${to} contains everything that was stored until now. Keep it on another disk.`);
}

async function restore(copy: string, { data }: Config): Promise<void> {
  const { restore } = await import('../store/sqlite/restore.ts');
  const file = databaseIn(data);
  const kept = await restore(copy, file, new Date());
  console.log(`${copy} was restored to ${file}; the copy itself is unchanged.`);
  if (kept !== undefined) console.log(`The old database is kept as ${kept}.`);
  console.log(`Start the server now. ${WHAT_FOLLOWS}`);
}

async function afterMongorestore(url: string): Promise<void> {
  const { renewEpoch } = await import('../store/mongo/open/maintenance.ts');
  await renewEpoch(url, createLogger('warn'));
  console.log(`The database has a new epoch. Restart every Holdfast process now. ${WHAT_FOLLOWS}`);
}

function useMongodump(): void {
  throw new Unusable(
    'With MONGODB_URL set, stop every Holdfast process and copy the database with its own tool: mongodump --uri=… --db=NAME --gzip --archive=FILE (docs/MONGODB.md, "Backups").',
  );
}

function useMongorestore(): void {
  throw new Unusable(
    `With MONGODB_URL set, stop every Holdfast process, restore the copy with mongorestore --uri=… --nsInclude='NAME.*' --drop --gzip --archive=FILE, then call this without a file.`,
  );
}

function usage(command: string | undefined): void {
  console.error(
    command === 'backup' || command === 'restore'
      ? `Name one file: npm run ${command} -- FILE`
      : 'Say what to do: backup FILE, or restore FILE.',
  );
  process.exitCode = EX_USAGE;
}

function databaseIn(data: string): string {
  return resolve(join(data, 'holdfast.db'));
}

/** npm runs scripts in the folder of the project; INIT_CWD is the folder where npm was called. */
function inCaller(file: string): string {
  return resolve(process.env.INIT_CWD ?? '', file);
}
