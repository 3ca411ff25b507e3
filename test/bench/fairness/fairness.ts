/**
 * Four processes on one hot room, beside one process with as many people: what each process's people wait, and what all
 * of them get done (issue 5: no process's p99 above three times the median process's, at least 0.6 of one's throughput).
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createLogger } from '../../../server/logger.ts';
import { openMongo } from '../../../server/store/mongo/index.ts';
import { LOBBY } from '../../../shared/ids.ts';
import { dieTogether } from '../../support/orphans.ts';
import { openMongoDatabase } from '../stand/mongo.ts';
import { spreadOf } from '../statistics.ts';
import type { Go, Went } from './writer.ts';

export interface FairnessRound {
  one: Processes;
  four: Processes;
}

export interface Processes {
  acknowledgedPerSecond: number;
  /** Of each process, in milliseconds, ascending. */
  p99s: number[];
  medians: number[];
}

export interface FairnessLengths {
  people: number;
  warmUpMs: number;
  forMs: number;
}

export async function measureFairness(lengths: FairnessLengths): Promise<FairnessRound> {
  const one = await measure(1, lengths);
  return { one, four: await measure(4, lengths) };
}

/** The slowest process's p99 as a part of the median process's. */
export function unfairness({ four }: FairnessRound): number {
  return four.p99s.at(-1)! / spreadOf(four.p99s).median;
}

/** Of four processes, as a part of one's. */
export function throughput({ one, four }: FairnessRound): number {
  return four.acknowledgedPerSecond / one.acknowledgedPerSecond;
}

async function measure(count: number, { people, ...times }: FairnessLengths): Promise<Processes> {
  await using database = await openMongoDatabase();
  const url = database.env.MONGODB_URL!;
  await (await openMongo({ url, log: createLogger('silent') })).close(); // what it makes once is made before
  const writers = Array.from({ length: count }, () => fork(WRITER, [url], { execArgv: [] }));
  for (const writer of writers) dieTogether(writer);
  try {
    await Promise.all(writers.map((writer) => once(writer, 'message')));
    const went = writers.map(async (writer): Promise<Went> => {
      const said = once(writer, 'message');
      writer.send({ room: LOBBY, people: people / count, ...times } satisfies Go);
      return (await said)[0];
    });
    return summary(await Promise.all(went), times.forMs);
  } finally {
    for (const writer of writers) writer.kill('SIGKILL');
    await Promise.all(writers.map((writer) => writer.exitCode ?? writer.signalCode ?? once(writer, 'exit')));
  }
}

function summary(went: readonly Went[], forMs: number): Processes {
  const sorted = went.map(({ waits }) => waits.toSorted((a, b) => a - b));
  const at = (part: number) =>
    sorted
      .map((waits) => waits[Math.ceil(waits.length * part) - 1] ?? Number.POSITIVE_INFINITY)
      .toSorted((a, b) => a - b);
  const all = sorted.reduce((sum, waits) => sum + waits.length, 0);
  return { acknowledgedPerSecond: (1_000 * all) / forMs, p99s: at(0.99), medians: at(0.5) };
}

const WRITER = new URL('./writer.ts', import.meta.url);
