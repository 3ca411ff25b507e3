/** The section of the report about several processes that write to one room. */
import type { Machine } from '../machine.ts';
import { spreadOf } from '../statistics.ts';
import { type FairnessRound, type Processes, unfairness } from './fairness.ts';

export interface FairnessRun {
  date: string;
  machine: Machine;
  database: string;
  rounds: FairnessRound[];
}

export function fairnessSection({ rounds, machine, database, date }: FairnessRun): string {
  return `## Fairness: several processes on one hot room, on MongoDB

${fairnessTable(rounds)}

${rounds.length} rounds, ${date.slice(0, 10)}, ${machine.cores} cores for all processes and the database together. Database: ${database}. Stores with their tails and the batching of ingest, without sockets; each writer sends one message after the other. Each process reads the entries of all processes, so its work, and the database's work for it, grows with the number of processes. When all cores are busy, that work limits the throughput; the column "CPU of a message" shows its cost.`;
}

export function fairnessTable(rounds: readonly FairnessRound[]): string {
  const median = (of: (round: FairnessRound) => number) => spreadOf(rounds.map(of)).median;
  const row = (title: string, key: keyof FairnessRound) => {
    const its = (of: (processes: Processes) => number) => median((round) => of(round[key]));
    const part = median(({ one, [key]: these }) => these.acknowledgedPerSecond / one.acknowledgedPerSecond);
    return `| ${[
      title,
      `${Math.round(its((p) => p.acknowledgedPerSecond)).toLocaleString('en')} /s`,
      `**${part.toFixed(2)} ×**`,
      `${its((p) => spreadOf(p.p99s).median).toFixed(0)} ms`,
      `**${its(unfairness).toFixed(2)} ×**`,
      `${(1_000 * its((p) => p.cpuPerMessage)).toFixed(0)} µs`,
      its((p) => p.cores).toFixed(1),
    ].join(' | ')} |`;
  };
  return [
    '| | acknowledged | of one process (must ≥ 0.6 ×) | p99 of the median process | of the slowest (must ≤ 3 ×) | CPU of a message | cores in use |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    row('one process, 200 people', 'one'),
    row('four processes, 50 people at each', 'four'),
    row('four processes, 200 people at each', 'fourBusy'),
  ].join('\n');
}
