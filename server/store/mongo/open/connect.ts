/** Connects to MongoDB, waits until it answers, and checks that it can be used: a replica set, recent enough, and ours. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Db, MongoClient, type MongoClientOptions, ReadConcern, ReadPreference } from 'mongodb';
import type { Logger } from 'pino';
import { Unavailable, Unusable } from '../../port.ts';
import type { MetaDocument } from '../base/collections.ts';
import { isDatabaseError } from '../base/faults.ts';
import { migrate } from './migrate.ts';
import { type BringUpToDate, prepare } from './prepare.ts';
import { type Address, malformedUrl, notAReplicaSet, tooOld, unreachable, unusableBy } from './unusable.ts';

export interface MongoConnection {
  client: MongoClient;
  /** Reads with read concern majority; writes are acknowledged by the majority with their journals. */
  db: Db;
  /** The same database through a client of its own, for what reads change streams. */
  streams: Db;
  address: Address;
  /** The document of `meta`, as it was when the database was opened. */
  meta: MetaDocument;
  close(): Promise<void>;
}

/** Runs before the database counts as open. `bringUpToDate` runs the remaining ones of these steps of migrate.ts. */
export type Prepare = (db: Db, address: Address, bringUpToDate: BringUpToDate) => Promise<MetaDocument>;

const CONNECT_FOR_MS = 10_000;
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
  // All of this fits in the 8 s of a request, also where a connection is dead without an error.
  serverSelectionTimeoutMS: 3_000,
  connectTimeoutMS: 2_000,
  heartbeatFrequencyMS: 1_000,
  waitQueueTimeoutMS: 3_000,
  // Each connection keeps a read buffer of some 64 kB. Queries are short: with more connections they wait in the database.
  maxPoolSize: POOL_SIZE,
  // One invalid UTF-8 string must not make the whole reply unreadable.
  enableUtf8Validation: false,
  socketTimeoutMS: 6_500,
};

/**
 * For the client of the change streams: its connections are never taken by calls. A stream reads with one at a time; a few
 * more read what was removed (tail/changeStream.ts) and write hints (socketAdapter.ts). The tail has deadlines of its own,
 * the longest of which is shorter than the timeout of its sockets (tail/streamFailure.ts).
 */
const STREAM_OPTIONS: MongoClientOptions = { ...OPTIONS, maxPoolSize: 8, socketTimeoutMS: 60_000 };

/**
 * Rejects with `Unusable`, whose message says what to do; where nothing answers, only after `CONNECT_FOR_MS` without any
 * progress.
 */
export async function connectMongo(
  url: string,
  log: Pick<Logger, 'warn'>,
  prepareDatabase: Prepare = prepare,
): Promise<MongoConnection> {
  const me = randomBytes(4).toString('base64url');
  let until = performance.now() + CONNECT_FOR_MS;
  const onProgress = () => {
    until = performance.now() + CONNECT_FOR_MS;
  };
  for (;;) {
    const client = clientOf(url);
    const address = addressOf(client, url);
    try {
      const opened = await open(client, address, (db) =>
        prepareDatabase(db, address, (steps) =>
          withPatientClient(url, (patient) =>
            migrate({ db: dbOf(patient, address), steps, me, log, onProgress }),
          ),
        ),
      );
      const streams = dbOf(new MongoClient(url, STREAM_OPTIONS), address);
      const close = async () => void (await Promise.all([client.close(), streams.client.close()]));
      return { ...opened, client, address, streams, close };
    } catch (error) {
      await client.close();
      if (error instanceof Unusable) throw error;
      const unusable = unusableBy(error, address);
      if (unusable) throw unusable;
      if (!isTemporary(error)) throw error;
      if (performance.now() > until) throw unreachable(error, address);
      log.warn({ hosts: address.hosts }, 'waiting for the database');
      await sleep(RETRY_AFTER_MS);
    }
  }
}

/** A second client without a socket timeout: building an index of a large database takes minutes. */
async function withPatientClient(url: string, work: (client: MongoClient) => Promise<void>): Promise<void> {
  const client = new MongoClient(url, { ...OPTIONS, socketTimeoutMS: 0 });
  try {
    await work(client);
  } finally {
    await client.close();
  }
}

/** The database may answer soon: it is starting, is initiated as a replica set, or holds an election. */
function isTemporary(error: unknown): error is Error {
  return isDatabaseError(error) || error instanceof Unavailable;
}

function clientOf(url: string): MongoClient {
  try {
    return new MongoClient(url, OPTIONS);
  } catch {
    throw malformedUrl(); // the original error may contain the URL, and with it the password
  }
}

async function open(
  client: MongoClient,
  address: Address,
  prepareDatabase: (db: Db) => Promise<MetaDocument>,
): Promise<Pick<MongoConnection, 'db' | 'meta'>> {
  await client.connect();
  const hello = await client.db('admin').command({ hello: 1 }, { readPreference: ReadPreference.primary });
  if (hello.setName === undefined && hello.msg !== 'isdbgrid') throw notAReplicaSet(address);
  if (hello.maxWireVersion < MIN_WIRE_VERSION) throw tooOld(address);
  const db = dbOf(client, address);
  return { db, meta: await prepareDatabase(db) };
}

function dbOf(client: MongoClient, address: Address): Db {
  return client.db(address.database, {
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
