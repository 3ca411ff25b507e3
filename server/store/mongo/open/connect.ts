/** Connects to MongoDB, waits until it answers, and checks that it can be used: a replica set, recent enough, and ours. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Db, MongoClient, type MongoClientOptions, ReadConcern, ReadPreference } from 'mongodb';
import type { Logger } from 'pino';
import { Unusable } from '../../port.ts';
import type { MetaDocument } from '../base/collections.ts';
import { type Address, addressOf, clientOf, refusalOf } from './address.ts';
import { type ClockReading, readClocks } from './databaseClock.ts';
import { migrate } from './migrate.ts';
import { type PrepareTools, prepare } from './prepare.ts';
import { probeDatabase } from './probeDatabase.ts';
import { sayProgress } from './progress.ts';
import { explain, watchSet } from './unreachable.ts';
import { isShardedCluster, notAReplicaSet, tooOld } from './unusable.ts';

export interface MongoConnection {
  client: MongoClient;
  /** Reads with read concern majority; writes are acknowledged by the majority with their journals. */
  db: Db;
  /** The same database through a client of its own, for what reads change streams. */
  streams: Db;
  address: Address;
  /** The document of `meta`, as it was when the database was opened. */
  meta: MetaDocument;
  clocks: ClockReading;
  close(): Promise<void>;
}

/** Runs before the database counts as open. */
export type Prepare = (db: Db, address: Address, tools: PrepareTools) => Promise<MetaDocument>;

/** How long to wait for what. Tests shorten it. */
export interface Patience {
  /** Without any progress: an election takes up to 12 s, a container somewhat longer. */
  connectForMs: number;
  serverSelectionMs: number;
  /** For the answer to a call; all of it fits in the 8 s of a request, also where a connection is dead without an error. */
  socketMs: number;
  /** For the answer to a step of `patiently`: building an index of a large log takes minutes to hours. */
  stepMs: number;
  /** The log says this often how far such a step is. */
  sayEveryMs: number;
}

const PATIENCE: Patience = {
  connectForMs: 30_000,
  serverSelectionMs: 3_000,
  socketMs: 6_500,
  stepMs: 3_600_000,
  sayEveryMs: 10_000,
};
const RETRY_AFTER_MS = 500;
/** MongoDB 6.0. No command here needs more than 5.0, but older versions get no fixes and are not tested. */
const MIN_WIRE_VERSION = 17;

/** Connections of the calls (callGuard.ts). */
export const POOL_SIZE = 24;

/** These override the URL. */
const OPTIONS: MongoClientOptions = {
  appName: 'holdfast',
  readPreference: 'primary',
  // The driver retries an insert once after a network error; the server recognises the retry by its transaction number.
  retryWrites: true,
  retryReads: true,
  connectTimeoutMS: 2_000,
  heartbeatFrequencyMS: 1_000,
  waitQueueTimeoutMS: 3_000,
  // Each connection keeps a read buffer of some 64 kB. Queries are short: with more connections they wait in the database.
  maxPoolSize: POOL_SIZE,
  // One invalid UTF-8 string must not make the whole reply unreadable.
  enableUtf8Validation: false,
};

/**
 * For the client of the change streams: its connections are never taken by calls. A stream reads with one at a time; a few
 * more read what was removed (tail/changeStream.ts) and write hints (socketAdapter.ts). The tail has deadlines of its own,
 * the longest of which is shorter than the timeout of its sockets (tail/streamFailure.ts).
 */
const STREAM_OPTIONS: MongoClientOptions = {
  maxPoolSize: 8,
  socketTimeoutMS: 60_000,
  // Where nothing fails, checks only cost. A stream that fails makes the driver check at once.
  heartbeatFrequencyMS: 5_000,
};

interface Options {
  url: string;
  log: Pick<Logger, 'warn'>;
  /** Instead of what a server needs before it listens. */
  prepareDatabase?: Prepare;
  patience?: Partial<Patience>;
}

/**
 * Rejects with `Unusable` or `Unavailable`, whose message says what to do; the latter only after `connectForMs` without any
 * progress, since time may mend it.
 */
export async function connectMongo({
  url,
  log,
  prepareDatabase,
  patience,
}: Options): Promise<MongoConnection> {
  const waits = { ...PATIENCE, ...patience };
  const common = { ...OPTIONS, serverSelectionTimeoutMS: waits.serverSelectionMs };
  const me = randomBytes(4).toString('base64url');
  let until = performance.now() + waits.connectForMs;
  const onProgress = () => {
    until = performance.now() + waits.connectForMs;
  };
  for (;;) {
    const client = clientOf(url, { ...common, socketTimeoutMS: waits.socketMs });
    const streamClient = new MongoClient(url, { ...common, ...STREAM_OPTIONS });
    const close = async () => void (await Promise.all([client.close(), streamClient.close()]));
    const address = addressOf(client, url);
    const refusal = refusalOf(client, address);
    if (refusal) throw refusal;
    const seenSet = watchSet(client);
    const [db, streams] = [dbOf(client, address), dbOf(streamClient, address)];
    const tools: PrepareTools = {
      async patiently(what, work) {
        // a client of its own, since the timeout of a socket is one of the client
        const patient = new MongoClient(url, { ...common, socketTimeoutMS: waits.stepMs });
        try {
          await sayProgress({ db, what, log, everyMs: waits.sayEveryMs }, () => work(dbOf(patient, address)));
        } finally {
          await patient.close();
        }
        onProgress();
      },
      bringUpToDate: (steps) =>
        tools.patiently('a migration', (patient) => migrate({ db: patient, steps, me, log, onProgress })),
    };
    try {
      const clocks = await check(client, address);
      const meta = await (prepareDatabase ?? prepare)(db, address, tools);
      if (!prepareDatabase) await probeDatabase({ db, streams, address });
      return { client, db, streams, address, meta, clocks, close };
    } catch (error) {
      await close();
      const why = refusalOf(client, address) ?? explain(error, address, seenSet());
      if (!why) throw error;
      if (why instanceof Unusable || performance.now() > until) throw why;
      log.warn({ hosts: address.hosts, reason: why.message }, 'waiting for the database');
      await sleep(RETRY_AFTER_MS);
    }
  }
}

/** Throws `Unusable` where the server is of a kind or a version that is not supported. */
async function check(client: MongoClient, address: Address): Promise<ClockReading> {
  await client.connect();
  const readPreference = ReadPreference.primary;
  const clocks = await readClocks(() => client.db('admin').command({ hello: 1 }, { readPreference }));
  const { hello } = clocks;
  if (hello.msg === 'isdbgrid') throw isShardedCluster(address);
  if (hello.setName === undefined) throw notAReplicaSet(address);
  if (hello.maxWireVersion < MIN_WIRE_VERSION) throw tooOld(address);
  return clocks;
}

function dbOf(client: MongoClient, address: Address): Db {
  return client.db(address.database, {
    writeConcern: { w: 'majority', journal: true, wtimeoutMS: 5_000 },
    readConcern: new ReadConcern('majority'),
    readPreference: ReadPreference.primary,
  });
}
