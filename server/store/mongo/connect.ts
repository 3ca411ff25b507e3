/** The way to the database, and whether what stands there can be used at all. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Db, MongoClient, type MongoClientOptions, ReadConcern, ReadPreference } from 'mongodb';
import type { Logger } from 'pino';
import { Unavailable, Unusable } from '../port.ts';
import { isOfTheDatabase } from './faults.ts';
import { migrate, STEPS } from './migrate.ts';
import { prepare } from './prepare.ts';
import type { MetaDocument } from './schema.ts';
import { type Address, malformed, notAReplicaSet, tooOld, unreachable, unusableBy } from './unusable.ts';

export interface Connection {
  client: MongoClient;
  /** What is asked of it sees what the majority has, and is acknowledged once the majority has it in its journals. */
  db: Db;
  at: Address;
  /** What the database said of itself as it was opened. */
  meta: MetaDocument;
}

/** What is done with a database before it counts as open; `bringUpToDate` does the steps of migrate.ts that are left. */
export type Prepare = (db: Db, at: Address, bringUpToDate: () => Promise<void>) => Promise<MetaDocument>;

const CONNECT_FOR_MS = 10_000;
const AGAIN_AFTER_MS = 500;
/** MongoDB 6.0. Nothing that it is asked is newer than 5.0; but older ones get no repairs, and nobody tests with them. */
const MIN_WIRE_VERSION = 17;

/** They hold whatever the URL says. */
const OPTIONS: MongoClientOptions = {
  appName: 'holdfast',
  readPreference: 'primary',
  // An insert that was cut off is asked once more by the driver, under a number by which the server knows it again.
  retryWrites: true,
  retryReads: true,
  // All of it ends within the 8 s of a request, also where connections are dead without a word.
  serverSelectionTimeoutMS: 3_000,
  connectTimeoutMS: 2_000,
  heartbeatFrequencyMS: 1_000,
  waitQueueTimeoutMS: 3_000,
  // Each keeps some 64 kB of what it read last. Questions are short: more of them at once wait for the database, not for us.
  maxPoolSize: 24,
  // One string that is no UTF-8 must not make everything that is read with it unreadable.
  enableUtf8Validation: false,
  socketTimeoutMS: 6_500,
};

/** Rejects with `Unusable`, whose message says what to do; where nothing answers, only after some seconds. */
export async function connect(
  url: string,
  log: Pick<Logger, 'warn'>,
  prepareIt: Prepare = prepare,
): Promise<Connection> {
  const me = randomBytes(4).toString('base64url');
  let until = performance.now() + CONNECT_FOR_MS;
  const onProgress = () => {
    until = performance.now() + CONNECT_FOR_MS;
  };
  for (;;) {
    const client = clientOf(url);
    const at = addressOf(client, url);
    try {
      return await open(client, at, (db) =>
        prepareIt(db, at, () =>
          patiently(url, (patient) => migrate({ db: dbOf(patient, at), steps: STEPS, me, log, onProgress })),
        ),
      );
    } catch (error) {
      await client.close();
      if (error instanceof Unusable) throw error;
      const unusable = unusableBy(error, at);
      if (unusable) throw unusable;
      if (!isAway(error)) throw error;
      if (performance.now() > until) throw unreachable(error, at);
      log.warn({ hosts: at.hosts }, 'waiting for the database');
      await sleep(AGAIN_AFTER_MS);
    }
  }
}

/** By a client of its own, that waits for an answer as long as it takes: an index of a large database takes minutes. */
async function patiently(url: string, work: (client: MongoClient) => Promise<void>): Promise<void> {
  const client = new MongoClient(url, { ...OPTIONS, socketTimeoutMS: 0 });
  try {
    await work(client);
  } finally {
    await client.close();
  }
}

/** It may be better in a moment: it is just being started, or a replica set for the first time, or votes. */
function isAway(error: unknown): error is Error {
  return isOfTheDatabase(error) || error instanceof Unavailable;
}

function clientOf(url: string): MongoClient {
  try {
    return new MongoClient(url, OPTIONS);
  } catch {
    throw malformed(); // the error may repeat the URL, and with it the password
  }
}

async function open(
  client: MongoClient,
  at: Address,
  prepareIt: (db: Db) => Promise<MetaDocument>,
): Promise<Connection> {
  await client.connect();
  const hello = await client.db('admin').command({ hello: 1 }, { readPreference: ReadPreference.primary });
  if (hello.setName === undefined && hello.msg !== 'isdbgrid') throw notAReplicaSet(at);
  if (hello.maxWireVersion < MIN_WIRE_VERSION) throw tooOld(at);
  const db = dbOf(client, at);
  return { client, db, at, meta: await prepareIt(db) };
}

function dbOf(client: MongoClient, at: Address): Db {
  return client.db(at.database, {
    writeConcern: { w: 'majority', journal: true, wtimeoutMS: 5_000 },
    readConcern: new ReadConcern('majority'),
    readPreference: ReadPreference.primary,
  });
}

function addressOf({ options }: MongoClient, url: string): Address {
  const named = /^[^/]+\/\/[^/?]+\/([^?]+)/.exec(url)?.[1];
  return {
    hosts: options.srvHost ?? options.hosts.map((host) => `${host}`).join(', '),
    database: named === undefined ? 'holdfast' : decodeURIComponent(named),
  };
}
