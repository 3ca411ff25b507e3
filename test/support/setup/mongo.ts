/** Provides a MongoDB: a given server, an installed one, SecantusDB from PyPI, or a downloaded mongod. */
import { ROOT, run } from '../tools.ts';
import { CannotSetUp } from './root.ts';
import { pythonWith } from './venv.ts';

/** A server that the tests start, break and stop. */
export type OwnMongo =
  | { kind: 'mongod' | 'memory-server'; program: string }
  /** The options follow `command`. */
  | { kind: 'secantusdb'; command: readonly [string, ...string[]] };

/** Searched once per process. If SecantusDB has to be installed, it is cached for the next run. */
export function ownMongo(): Promise<OwnMongo> {
  found ??= find();
  return found;
}

let found: Promise<OwnMongo> | undefined;

/** An external server, for tests that do not break it. */
export function givenMongo(): string | undefined {
  return process.env.TEST_MONGODB_URL || undefined;
}

/** Sets up the server for the tests and returns one line that names it. */
export async function prepareMongo(): Promise<string> {
  const own = describe(await ownMongo());
  return givenMongo() === undefined
    ? own
    : `the server of TEST_MONGODB_URL; for the tests that break theirs, ${own}`;
}

function describe(mongo: OwnMongo): string {
  switch (mongo.kind) {
    case 'mongod':
      return 'the mongod on the PATH, a replica set of one node for each test';
    case 'secantusdb':
      return 'SecantusDB (the protocol of MongoDB over WiredTiger), a server for each test';
    case 'memory-server':
      return `${mongo.program}, downloaded, a replica set of one node for each test`;
  }
}

async function find(): Promise<OwnMongo> {
  if ((await run('mongod', ['--version'])).code === 0) return { kind: 'mongod', program: 'mongod' };
  const secantus = await attempt(secantusdb);
  if (secantus.tag === 'found') return secantus.mongo;
  const downloaded = await attempt(memoryServer);
  if (downloaded.tag === 'found') return downloaded.mongo;
  throw new CannotSetUp(
    'The tests of the MongoDB store need a server, and none could be set up here: install mongod and put it on the ' +
      `PATH. (${secantus.why} ${downloaded.why})`,
  );
}

type Attempt = { tag: 'found'; mongo: OwnMongo } | { tag: 'not'; why: string };

async function attempt(get: () => Promise<OwnMongo>): Promise<Attempt> {
  return get().then(
    (mongo) => ({ tag: 'found', mongo }),
    (error: Error) => ({ tag: 'not', why: error.message.trim() }),
  );
}

async function secantusdb(): Promise<OwnMongo> {
  const python = await pythonWith('secantusdb', `${ROOT}/test/support/mongo/requirements.txt`);
  return {
    kind: 'secantusdb',
    command: [python, '-c', 'import sys; from secantus.cli import main; sys.exit(main())'],
  };
}

async function memoryServer(): Promise<OwnMongo> {
  const { MongoBinary } = await import('mongodb-memory-server-core');
  const program = await MongoBinary.getPath({
    version: '8.0.4',
    downloadDir: `${ROOT}/node_modules/.cache/mongod`,
  });
  return { kind: 'memory-server', program };
}
