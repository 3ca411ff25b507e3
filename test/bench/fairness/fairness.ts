/**
 * Compares four processes on one hot room with one process: the latency at each process, and the total throughput (issue 5:
 * no process's p99 above three times that of the median process; at least 0.6 of the throughput of one process).
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createLogger } from '../../../server/base/logger.ts';
import { openMongo } from '../../../server/store/mongo/index.ts';
import { LOBBY } from '../../../shared/mint.ts';
import { dieTogether } from '../../support/orphans.ts';
import { openMongoDatabase } from '../stand/mongo.ts';
import { cpuOf } from '../stand/usage.ts';
import { spreadOf } from '../statistics.ts';
import type { Go, Went } from './writer.ts';

export interface FairnessRound {
  /** 200 users at one process. */
  one: Processes;
  /** 200 users, 50 at each of four processes. */
  four: Processes;
  /** 200 users at each of four processes, each as busy as the single one. */
  fourBusy: Processes;
}

export interface Processes {
  acknowledgedPerSecond: number;
  /** The p99 of each process, in ms, ascending. */
  p99s: number[];
  medians: number[];
  /** CPU in ms, of all processes and the database. */
  cpuPerMessage: number;
  cores: number;
}

export interface FairnessLengths {
  warmUpMs: number;
  forMs: number;
}

export async function measureFairness(lengths: FairnessLengths): Promise<FairnessRound> {
  return {
    one: await measure(1, PEOPLE, lengths),
    four: await measure(4, PEOPLE / 4, lengths),
    fourBusy: await measure(4, PEOPLE, lengths),
  };
}

const PEOPLE = 200;

/** The p99 of the slowest process divided by that of the median process. */
export function unfairness({ p99s }: Processes): number {
  return p99s.at(-1)! / spreadOf(p99s).median;
}

async function measure(count: number, people: number, lengths: FairnessLengths): Promise<Processes> {
  await using database = await openMongoDatabase();
  const url = database.env.MONGODB_URL!;
  await (await openMongo({ url, log: createLogger('silent') })).close(); // creates collections and indexes before the measurement
  const writers = Array.from({ length: count }, () => fork(WRITER, [url], { execArgv: [] }));
  for (const writer of writers) dieTogether(writer);
  const pids = [...database.pids, ...writers.map(({ pid }) => pid!)];
  const cpu = () => pids.reduce((sum, pid) => sum + cpuOf(pid), 0);
  try {
    await Promise.all(writers.map((writer) => once(writer, 'message')));
    const [cpuBefore, start] = [cpu(), performance.now()];
    const said = writers.map(async (writer): Promise<Went> => {
      const went = once(writer, 'message');
      writer.send({ room: LOBBY, people, ...lengths } satisfies Go);
      return (await went)[0];
    });
    const went = await Promise.all(said);
    const cpuMs = cpu() - cpuBefore;
    const acknowledged = went.reduce((sum, one) => sum + one.acknowledged, 0);
    return {
      ...waitsOf(went, lengths.forMs),
      cpuPerMessage: cpuMs / acknowledged,
      cores: cpuMs / (performance.now() - start),
    };
  } finally {
    for (const writer of writers) writer.kill('SIGKILL');
    await Promise.all(writers.map((writer) => writer.exitCode ?? writer.signalCode ?? once(writer, 'exit')));
  }
}

function waitsOf(went: readonly Went[], forMs: number) {
  const sorted = went.map(({ waits }) => waits.toSorted((a, b) => a - b));
  const at = (part: number) =>
    sorted
      .map((waits) => waits[Math.ceil(waits.length * part) - 1] ?? Number.POSITIVE_INFINITY)
      .toSorted((a, b) => a - b);
  const all = sorted.reduce((sum, waits) => sum + waits.length, 0);
  return { acknowledgedPerSecond: (1_000 * all) / forMs, p99s: at(0.99), medians: at(0.5) };
}

const WRITER = new URL('./writer.ts', import.meta.url);
