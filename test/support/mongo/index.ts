/** A MongoDB of a test's own: started, broken in every way that can be had, ended with the test. */
import { type Document, MongoClient } from 'mongodb';
import { pauseProcess, resumeProcess } from '../pause.ts';
import { givenMongo, type OwnMongo, ownMongo } from '../setup/mongo.ts';
import { startDatabase } from './process.ts';
import type { ProgramOptions } from './programs.ts';
import { freshName, ownUrl, throughPort, withDatabase } from './url.ts';

export interface MongoServer extends AsyncDisposable {
  /** With the name of a database that nobody used before. */
  readonly url: string;
  readonly kind: 'given' | OwnMongo['kind'];
  /** 0 where the server was given. */
  readonly port: number;
  /** The same database by a proxy on this port: the driver stays on it and does not look for the replica set. */
  urlThrough(port: number): string;
  /** Another database on the same server. */
  anotherUrl(): string;

  /** Of a server that was started here; one that was given belongs to others and rejects them all. */
  readonly pid: number;
  /** All it has written so far, of all its lives. */
  logs(): string;
  kill9(): Promise<void>;
  /** Lets it finish. */
  stop(): Promise<void>;
  /** Again on the same files and port, after `kill9` or `stop`; resolves when it can be written to. */
  start(options?: ProgramOptions): Promise<void>;
  /** SIGSTOP: connections stay open and nothing is answered. */
  pause(): Promise<void>;
  resume(): void;
  /** `failCommand`, for example `{ failCommands: ['insert'], closeConnection: true }`, `{ times: 1 }`. */
  failPoint(data: Document, mode: 'alwaysOn' | { times: number } | { skip: number }): Promise<void>;
  clearFailPoints(): Promise<void>;
  /** No primary for so many seconds (2 at least), then one again. */
  stepDown(seconds?: number): Promise<void>;
  /** Any command on its admin database. */
  command(command: Document): Promise<Document>;
}

export interface StartOptions extends ProgramOptions {
  /** A server that may be killed and made to fail, also where TEST_MONGODB_URL gives one that may not. */
  toBreak?: boolean;
  /** This one, whatever else there is. */
  program?: OwnMongo;
}

/** Resolves when it answers as a primary that can be written to. Any option asks for a server of the test's own. */
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
