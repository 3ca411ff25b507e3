/** Renders the report of the soak, docs/soak.md. */
import { availableParallelism } from 'node:os';

export interface SoakRun {
  what: string;
  seed: number;
  seconds: number;
  faults: ReadonlyMap<string, number>;
  entries: number;
  acknowledged: number;
  violations: readonly string[];
}

interface Soak {
  started: Date;
  database: string;
  stormMs: number;
  runs: readonly SoakRun[];
}

export function soakReport({ started, database, stormMs, runs }: Soak): string {
  const violations = runs.flatMap((run) => run.violations.map((sentence) => ({ ...run, sentence })));
  return `# Soak

Written by \`npm run soak\` on ${started.toISOString().slice(0, 10)}, with Node ${process.versions.node} on ${availableParallelism()} cores. Database: ${database}.

Each run lasts ${stormMs / 1000} s. Processes write while connections are cut, commands fail before and after they are written, the primary steps down, and the database, the writers and the servers are stopped and killed with \`kill -9\`, in an order that depends on the seed. Afterwards everything that is still queued is sent until it is acknowledged. Then every acknowledgement, tail, range and live frame is compared with the log (L1 to L5, S2).

**${total(runs, 'acknowledged')} items acknowledged, ${total(runs, 'entries')} entries in the logs, ${strikes(runs)} faults, ${violations.length} violations.**

${table(
  ['run', 'seed', 'seconds', 'faults', 'acknowledged', 'entries', 'violations'],
  runs.map((run) => [
    run.what,
    run.seed,
    run.seconds.toFixed(0),
    strikes([run]),
    run.acknowledged,
    run.entries,
    run.violations.length,
  ]),
)}

In the runs on one room there are more acknowledgements than entries, since repeats are acknowledged with the serverOffset of the first append. In the runs with many people, the entries include joins.

## Faults

${table(
  ['fault', 'times'],
  [...byFault(runs)].sort(([a], [b]) => a.localeCompare(b)),
)}
${violations.length === 0 ? '' : `\n## Violations\n\n${violations.map(({ what, seed, sentence }) => `- ${what}, seed ${seed}: ${sentence}`).join('\n')}\n`}`;
}

function table(head: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const line = (cells: readonly unknown[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function byFault(runs: readonly SoakRun[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const [fault, times] of runs.flatMap(({ faults }) => [...faults]))
    sums.set(fault, (sums.get(fault) ?? 0) + times);
  return sums;
}

function strikes(runs: readonly SoakRun[]): number {
  return [...byFault(runs).values()].reduce((sum, times) => sum + times, 0);
}

function total(runs: readonly SoakRun[], what: 'acknowledged' | 'entries'): number {
  return runs.reduce((sum, run) => sum + run[what], 0);
}
