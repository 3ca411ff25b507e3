/**
 * The command `npm run keeper -- NAME`: makes a user a keeper, who lets people back in. The server may be running, and notices
 * it within seconds. It reads the server's settings.
 */
import { join } from 'node:path';
import { nameKey } from '../../shared/text.ts';
import { type Config, parseEnv } from '../base/env.ts';
import { EX_CONFIG, EX_USAGE } from '../base/exitCodes.ts';
import { createLogger } from '../base/logger.ts';
import { runCommand } from '../store/runCommand.ts';
import { PRIVATE_UMASK } from '../store/sqlite/fileModes.ts';

process.umask(PRIVATE_UMASK);
await runCommand(async () => {
  const { DATA, MONGODB_URL } = process.env; // other settings belong to the server only, and may be secret
  await run(process.argv.slice(2), parseEnv({ DATA, MONGODB_URL }));
});

async function run(words: string[], config: Config): Promise<void> {
  const name = words.join(' ').trim();
  if (name === '') {
    console.error('Usage: npm run keeper -- NAME');
    process.exitCode = EX_USAGE;
    return;
  }
  const found = await makeKeeper(name, config);
  if (found === undefined) {
    console.error(`Nobody is called ${name} here. Who is to be a keeper signs up first.`);
    process.exitCode = EX_CONFIG;
    return;
  }
  console.log(`${found} is a keeper now. The app shows it after it is opened the next time.`);
}

/** Returns the user's name as it is stored; undefined where nobody has it. */
async function makeKeeper(name: string, { mongodbUrl, data }: Config): Promise<string | undefined> {
  if (mongodbUrl === undefined) {
    const { addKeeper } = await import('../store/sqlite/addKeeper.ts');
    return addKeeper(join(data, 'holdfast.db'), nameKey(name), Date.now());
  }
  const { openMongo } = await import('../store/mongo/index.ts');
  const { users, keepers, close } = await openMongo({ url: mongodbUrl, log: createLogger('warn') });
  try {
    const user = await users.byNameKey(nameKey(name));
    if (user) {
      await keepers.lift(user.id);
      await keepers.add(user.id, Date.now());
    }
    return user?.name;
  } finally {
    await close();
  }
}
