/** A database process with its folder and port; it can be killed and started again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { MongoClient, MongoServerError } from 'mongodb';
import { dieTogether } from '../orphans.ts';
import type { OwnMongo } from '../setup/mongo.ts';
import { temporaryFolder } from '../tmp.ts';
import { waitFor } from '../waitFor.ts';
import { freePort } from './port.ts';
import { type ProgramOptions, programOf } from './programs.ts';

export interface DatabaseProcess {
  readonly port: number;
  /** A client connected directly to this server. */
  readonly url: string;
  readonly setName: string;
  pid(): number;
  logs(): string;
  start(options?: ProgramOptions): Promise<void>;
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  dispose(): Promise<void>;
}

const UNAUTHORIZED = 13;
const INITIATED: readonly unknown[] = [UNAUTHORIZED, 23]; // 23: AlreadyInitialized
const READY_WITHIN_MS = 30_000;
const PORT_TRIES = 5;

export async function startDatabase(found: OwnMongo, first: ProgramOptions): Promise<DatabaseProcess> {
  for (let tries = 1; ; tries++) {
    const database = await newDatabase(found, first);
    const failed = await database.start().then(
      () => undefined,
      (error: Error) => error,
    );
    if (failed === undefined) return database;
    await database.dispose();
    // Another process took the port after it was found to be free.
    if (tries === PORT_TRIES || !/address already in use/i.test(failed.message)) throw failed;
  }
}

async function newDatabase(found: OwnMongo, first: ProgramOptions): Promise<DatabaseProcess> {
  const folder = await temporaryFolder();
  const port = await freePort();
  const url = `mongodb://127.0.0.1:${port}/?directConnection=true`;
  let child: ChildProcess | undefined;
  let setName = '';
  let logs = '';

  const start = async (options: ProgramOptions = first) => {
    const { command, args, needsInitiate } = programOf(found, port, folder.path, options);
    // Python keeps what it compiles, also where the environment forbids it: SecantusDB starts with half of the CPU time
    const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '' };
    const life = spawn(command, args, { cwd: folder.path, env, stdio: ['ignore', 'pipe', 'pipe'] });
    child = life;
    for (const stream of [life.stdout, life.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        logs = (logs + text).slice(-100_000);
      });
    life.on('error', (error) => {
      logs += error.message;
    });
    if (life.pid !== undefined) dieTogether(life);
    const name = await untilWritable(url, needsInitiate, () => {
      if (hasEnded(life)) throw new Error(`the database ended:\n${logs}`);
    });
    setName = name ?? setName;
  };

  const end = async (signal: NodeJS.Signals) => {
    const dying = child;
    child = undefined;
    if (dying === undefined || hasEnded(dying)) return;
    dying.kill(signal);
    await once(dying, 'exit');
  };

  return {
    port,
    url,
    get setName() {
      return setName;
    },
    pid() {
      if (child?.pid === undefined) throw new Error('the database is not running');
      return child.pid;
    },
    logs: () => logs,
    start,
    end,
    dispose: async () => {
      await end('SIGKILL');
      await folder.remove();
    },
  };
}

/** Resolves with the name of its replica set, '' if it has none, or undefined where only its users may ask for it. */
async function untilWritable(url: string, initiate: boolean, check: () => void): Promise<string | undefined> {
  let initiated = !initiate;
  const look = async () => {
    check();
    // A new client for each attempt: a client whose first connection fails stays closed.
    await using client = new MongoClient(url, { serverSelectionTimeoutMS: 1_000 });
    const admin = client.db('admin');
    const hello = await admin.command({ hello: 1 }).catch((error: unknown) => {
      if (error instanceof MongoServerError && error.code === UNAUTHORIZED) return 'unauthorized' as const;
    });
    if (hello === 'unauthorized') return { setName: undefined };
    if (hello?.isWritablePrimary) return { setName: String(hello.setName ?? '') };
    if (hello === undefined || initiated) return undefined;
    await admin.command({ replSetInitiate: {} }).catch((error: unknown) => {
      // with authentication it was initiated before
      if (!(error instanceof MongoServerError && INITIATED.includes(error.code))) throw error;
    });
    initiated = true;
  };
  return (await waitFor('the database can be written to', look, READY_WITHIN_MS)).setName;
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}
