/** A stand: one of the two servers, ready to be measured, with its processes and the members of one room. */
import type { Store } from '../../../server/store/port.ts';
import { type Dialect, holdfastFrom, tutorial } from '../load/dialect.ts';
import type { Database, Setting } from './database.ts';
import { type Program, startProgram } from './program.ts';
import { type Member, membersFor, seed, withOwnAddresses } from './seed.ts';

export type Contender = 'tutorial' | 'holdfast';

export interface Stand extends AsyncDisposable {
  contender: Contender;
  dialect: Dialect;
  members: readonly Member[];
  /** The address of each server process. */
  urls: readonly string[];
  /** Process ids, to read their CPU and memory. */
  servers: readonly number[];
  database: readonly number[];
  /** When the first server process was started, by performance.now(). */
  startedAt: number;
}

export interface StandOptions {
  contender: Contender;
  setting: Setting;
  members: number;
  /** Node options of the servers, such as `--cpu-prof`, and their environment. */
  nodeOptions?: readonly string[];
  env?: Record<string, string>;
  /** The core that the servers run on, by its number; they share it with nothing of this benchmark. */
  core?: number;
  /** Members connect from addresses of their own (Linux). */
  ownAddresses?: boolean;
  /** Fills the store before Holdfast starts; returns the room in which each member writes, if it is not the lobby. */
  fill?: (store: Store, members: readonly Member[]) => Promise<((member: Member) => string) | undefined>;
  /** Then fills it in place, as a server writes. */
  write?: (store: Store, members: readonly Member[]) => Promise<void>;
}

/** Starts the servers on an empty database. */
export async function openStand(database: Database, options: StandOptions): Promise<Stand> {
  const { contender, setting } = options;
  const plain = membersFor(options.members);
  const members = options.ownAddresses ? withOwnAddresses(plain) : plain;
  const dialect = contender === 'tutorial' ? tutorial : await seeded(database, members, options);
  const program = {
    script: contender === 'tutorial' ? TUTORIALS[setting] : 'server/main.ts',
    env: { ...database.env, ...options.env },
    nodeOptions: [...database.nodeOptions, ...(options.nodeOptions ?? [])],
    core: options.core,
  };
  const programs: Program[] = [];
  const stop = async () => {
    await Promise.all(programs.map((one) => one.stop()));
  };
  const startedAt = performance.now();
  try {
    while (programs.length < NODES[setting]) programs.push(await startProgram(program));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    contender,
    dialect,
    members,
    urls: programs.map(({ url }) => url),
    servers: programs.map(({ pid }) => pid),
    database: database.pids,
    startedAt,
    [Symbol.asyncDispose]: stop,
  };
}

const NODES: Record<Setting, number> = { sqlite: 1, mongo1: 1, mongo2: 2 };
const TUTORIALS: Record<Setting, string> = {
  sqlite: 'test/bench/baseline/sqlite.ts',
  mongo1: 'test/bench/baseline/mongo.ts',
  mongo2: 'test/bench/baseline/mongo.ts',
};

async function seeded(
  database: Database,
  members: readonly Member[],
  { fill, write }: Pick<StandOptions, 'fill' | 'write'>,
): Promise<Dialect> {
  const dialect = await database.fill(async (store) =>
    holdfastFrom(await seed(store, members), await fill?.(store, members)),
  );
  if (!write) return dialect;
  const store = await database.openStore();
  try {
    await write(store, members);
  } finally {
    await store.close();
  }
  return dialect;
}
