/** A MongoDB for one test, with fault injection; it ends with the test. */
import { type Document, MongoClient } from 'mongodb';
import { pauseProcess, resumeProcess } from '../pause.ts';
import { givenMongo, type OwnMongo, ownMongo } from '../setup/mongo.ts';
import { startDatabase } from './process.ts';
import type { ProgramOptions } from './programs.ts';
import { freshName, ownUrl, throughPort, withDatabase } from './url.ts';

export interface MongoServer extends AsyncDisposable {
  /** Connection string of an unused database. */
  readonly url: string;
  readonly kind: 'given' | OwnMongo['kind'];
  /** 0 if TEST_MONGODB_URL gives the server. */
  readonly port: number;
  /** The same database through a proxy on this port: the driver connects directly and does not discover the replica set. */
  urlThrough(port: number): string;
  /** Connection string of another unused database on the same server. */
  anotherUrl(): string;

  /** Faults of a server that this test started. All of them reject on a server from TEST_MONGODB_URL. */
  readonly pid: number;
  /** Its output so far, including that before restarts. */
  logs(): string;
  kill9(): Promise<void>;
  /** Stops it with SIGTERM. */
  stop(): Promise<void>;
  /** Starts it again on the same files and port, after `kill9` or `stop`; resolves when it accepts writes. */
  start(options?: ProgramOptions): Promise<void>;
  /** SIGSTOP: connections stay open, but nothing is answered. */
  pause(): Promise<void>;
  resume(): void;
  /** Sets the fail point `failCommand`, for example `{ failCommands: ['insert'], closeConnection: true }`, `{ times: 1 }`. */
  failPoint(data: Document, mode: 'alwaysOn' | { times: number } | { skip: number }): Promise<void>;
  clearFailPoints(): Promise<void>;
  /** Steps the primary down for this many seconds (at least 2). */
  stepDown(seconds?: number): Promise<void>;
  /** Runs a command on its admin database. */
  command(command: Document): Promise<Document>;
}

export interface StartOptions extends ProgramOptions {
  /** Starts a server that may be killed, even if TEST_MONGODB_URL gives one. */
  toBreak?: boolean;
  /** Uses this kind of server only. */
  program?: OwnMongo;
}

/** Resolves when the server is a writable primary. With any option, a server is started for this test alone. */
export async function startMongo(options: StartOptions = {}): Promise<MongoServer> {
  const given = givenMongo();
  const anyWillDo = Object.keys(options).length === 0;
  return given !== undefined && anyWillDo
    ? givenServer(given)
    : ownServer(options.program ?? (await ownMongo()), options);
}

async function ownServer(found: OwnMongo, options: ProgramOptions): Promise<MongoServer> {
  const database = await startDatabase(found, options);
  const command = (asked: Document) => commandOf(database.url, asked);
  const newUrl = () => ownUrl(database, freshName());
  const url = newUrl();
  return {
    url,
    kind: found.kind,
    port: database.port,
    urlThrough: (port) => throughPort(url, port),
    anotherUrl: newUrl,
    get pid() {
      return database.pid();
    },
    logs: database.logs,
    kill9: () => database.end('SIGKILL'),
    stop: () => database.end('SIGTERM'),
    start: database.start,
    pause: () => pauseProcess(database.pid()),
    resume: () => resumeProcess(database.pid()),
    command,
    failPoint: async (data, mode) => {
      await command({ configureFailPoint: 'failCommand', mode, data });
    },
    clearFailPoints: async () => {
      await command({ configureFailPoint: 'failCommand', mode: 'off' });
    },
    stepDown: async (seconds = 2) => {
      await command({ replSetStepDown: seconds, secondaryCatchUpPeriodSecs: 1, force: true });
    },
    [Symbol.asyncDispose]: database.dispose,
  };
}

function givenServer(given: string): MongoServer {
  const urls: string[] = [];
  const newUrl = () => {
    const url = withDatabase(given, freshName());
    urls.push(url);
    return url;
  };
  const url = newUrl();
  const refuse = () => {
    throw new Error(
      'The database of TEST_MONGODB_URL belongs to others: a test that breaks its own starts it with { toBreak: true }.',
    );
  };
  const reject = async () => refuse();
  return {
    url,
    kind: 'given',
    port: 0,
    urlThrough: refuse,
    anotherUrl: newUrl,
    get pid() {
      return refuse();
    },
    logs: () => '',
    kill9: reject,
    stop: reject,
    start: reject,
    pause: reject,
    resume: refuse,
    failPoint: reject,
    clearFailPoints: reject,
    stepDown: reject,
    command: (asked) => commandOf(url, asked),
    [Symbol.asyncDispose]: async () => {
      for (const used of urls) await dropDatabase(used);
    },
  };
}

async function commandOf(url: string, command: Document): Promise<Document> {
  await using client = new MongoClient(url, { serverSelectionTimeoutMS: 5_000, retryWrites: false });
  return await client.db('admin').command(command);
}

async function dropDatabase(url: string): Promise<void> {
  await using client = new MongoClient(url, { serverSelectionTimeoutMS: 5_000 });
  await client.db().dropDatabase();
}
