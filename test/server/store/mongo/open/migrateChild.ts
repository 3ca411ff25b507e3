/**
 * A process that migrates a database and kills itself (-9) on the way: `steps URL N` runs the steps of migrateSteps.ts and
 * dies at the Nth part; `open URL N` opens the store and dies right before or after one of the migration's writes; `finish
 * URL N` does the same in the command `finish-upgrade`.
 * Exits with 0 if there were fewer.
 */
import { randomBytes } from 'node:crypto';
import { MongoClient } from 'mongodb';
import { pino } from 'pino';
import { openMongo } from '../../../../../server/store/mongo/index.ts';
import { finishUpgrade } from '../../../../../server/store/mongo/open/maintenance.ts';
import { migrate } from '../../../../../server/store/mongo/open/migrate.ts';
import { testSteps } from './migrateSteps.ts';

const [what, url, at] = process.argv.slice(2);
const log = pino({ level: 'silent' });

if (what === 'steps') {
  const client = await new MongoClient(url!).connect();
  let parts = 0;
  const steps = testSteps(() => {
    if (++parts === Number(at)) process.kill(process.pid, 'SIGKILL');
  });
  await migrate({ db: client.db(), steps, me: randomBytes(4).toString('hex'), log });
  await client.close();
} else {
  dieAt(Number(at));
  if (what === 'finish') await finishUpgrade(url!, log);
  else await (await openMongo({ url: url!, log })).close();
}
process.exit(0);

function dieAt(moment: number): void {
  const MOMENTS = new Set([
    'commandStarted update',
    'commandSucceeded update',
    'commandStarted insert',
    'commandSucceeded insert',
    'commandStarted delete',
    'commandStarted dropIndexes',
    'commandStarted createIndexes',
  ]);
  let moments = 0;
  const emit = MongoClient.prototype.emit as (event: string, ...args: unknown[]) => boolean;
  const counting = function (this: MongoClient, event: string, ...args: unknown[]): boolean {
    const [command] = args as [{ commandName?: string } | undefined];
    if (MOMENTS.has(`${event} ${command?.commandName}`) && ++moments === moment)
      process.kill(process.pid, 'SIGKILL');
    return emit.call(this, event, ...args);
  };
  MongoClient.prototype.emit = counting as typeof MongoClient.prototype.emit;
}
