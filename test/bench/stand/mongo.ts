/**
 * A MongoDB of one node: the program in `BENCH_MONGOD` (a `mongod` or a `secantusd-rs`), otherwise the database of the tests,
 * which may be the server of TEST_MONGODB_URL. The CPU of such a server cannot be measured here.
 */
import { basename } from 'node:path';
import { createLogger } from '../../../server/base/logger.ts';
import { openMongo } from '../../../server/store/mongo/index.ts';
import type { Store } from '../../../server/store/port.ts';
import { type MongoServer, startMongo } from '../../support/mongo/index.ts';
import { startProxy, type TcpProxy } from '../../support/proxy.ts';
import { type OwnMongo, prepareMongo } from '../../support/setup/mongo.ts';
import { run } from '../../support/tools.ts';
import { countRequests } from './countRequests.ts';
import type { CountedDatabase, Database } from './database.ts';
import { openSqliteDatabase } from './sqlite.ts';

export async function openMongoDatabase(): Promise<Database> {
  const mongo = await start();
  return databaseOn(mongo, mongo.url, mongo[Symbol.asyncDispose]);
}

export async function openCountedMongo(): Promise<CountedDatabase> {
  const mongo = await start();
  return countedOn(mongo, mongo.port);
}

/** The same behind a network that can be slow: then it is busy, whatever the speed of the machine. The benchmark has none between. */
export async function openDelayedMongo(): Promise<CountedDatabase & Pick<TcpProxy, 'delay'>> {
  const mongo = await start();
  const network = await startProxy(mongo.port);
  const database = await countedOn(mongo, network.port);
  return {
    ...database,
    delay: network.delay,
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]();
      await network.close();
    },
  };
}

/** `port`: that of the database, or of a proxy in front of it. */
async function countedOn(mongo: MongoServer, port: number): Promise<CountedDatabase> {
  const counter = await countRequests(port);
  const close = async () => {
    await counter[Symbol.asyncDispose]();
    await mongo[Symbol.asyncDispose]();
  };
  return {
    ...databaseOn(mongo, mongo.urlThrough(counter.port), close),
    async operations() {
      const counts = counter.counts();
      return { all: Object.values(counts).reduce((sum, count) => sum + count, 0), ...counts };
    },
  };
}

/** The description for the report. */
export async function describeMongo(): Promise<string> {
  const program = named();
  return program ? `${basename(process.env.BENCH_MONGOD!)}, one node` : prepareMongo();
}

function databaseOn(mongo: MongoServer, url: string, close: () => PromiseLike<void>): Database {
  return {
    env: { MONGODB_URL: url },
    nodeOptions: [],
    pids: mongo.kind === 'given' ? [] : [mongo.pid],
    fill: (work) => fillByMigration(url, work),
    openStore: () => openMongo({ url, log: createLogger('warn') }),
    [Symbol.asyncDispose]: close,
  };
}

/** By a SQLite file that is then moved: the store writes each user and each room by themselves, which is many times slower. */
async function fillByMigration<T>(url: string, work: (store: Store) => Promise<T>): Promise<T> {
  await using file = await openSqliteDatabase();
  const result = await file.fill(work);
  const { code, output } = await run(process.execPath, ['server/migrate/main.ts'], {
    env: { ...file.env, MONGODB_URL: url },
    withinMs: MOVED_WITHIN_MS,
  });
  if (code !== 0) throw new Error(`the database could not be filled by npm run migrate:\n${output}`);
  return result;
}

const MOVED_WITHIN_MS = 120_000;

function start(): Promise<MongoServer> {
  const program = named();
  return program ? startMongo({ program }) : startMongo();
}

function named(): OwnMongo | undefined {
  const path = process.env.BENCH_MONGOD;
  if (!path) return undefined;
  return basename(path).startsWith('secantus')
    ? { kind: 'secantusdb', command: [path] }
    : { kind: 'mongod', program: path };
}
