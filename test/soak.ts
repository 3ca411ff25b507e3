/**
 * `npm run soak`: the real faults of test/fault/mongo for longer and from more seeds than `npm test` has the time for.
 * Writes docs/soak.md. `--minutes 30 --seed 1`: a run that fails can be run again by its seed.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { spend } from './fault/mongo/chat/evening.ts';
import { type SoakRun, soakReport } from './fault/mongo/report.ts';
import { contend } from './fault/mongo/writers/contend.ts';
import { startMongo } from './support/mongo/index.ts';
import { ROOT } from './support/tools.ts';

const STORM_MS = 60_000;
const REPORT = `${ROOT}/docs/soak.md`;

type Outcome = Omit<SoakRun, 'what' | 'seed' | 'seconds'> & { logs: string };
type Suite = (seed: number) => Promise<Outcome>;

const SUITES: Record<string, Suite> = {
  'two processes on one room': (seed) => writers(2, seed),
  'four processes on one room': (seed) => writers(4, seed),
  'forty people, six rooms, three servers': (seed) =>
    spend({ seed, servers: 3, people: 40, rooms: 6, stormMs: STORM_MS }),
};

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '30' }, seed: { type: 'string', default: '1' } },
});
const until = performance.now() + Number(values.minutes) * 60_000;
const started = new Date();
const runs: SoakRun[] = [];

for (let seed = Number(values.seed); runs.length === 0 || performance.now() < until; seed++) {
  for (const [what, suite] of Object.entries(SUITES)) {
    const start = performance.now();
    const { logs, ...outcome } = await attempt(suite, seed);
    const seconds = (performance.now() - start) / 1000;
    runs.push({ what, seed, seconds, ...outcome });
    console.log(`${what}, seed ${seed}: ${outcome.entries} entries, ${outcome.violations.length} violations`);
    if (outcome.violations.length > 0) console.log([...outcome.violations, logs].join('\n'));
  }
}

await mkdir(`${ROOT}/docs`, { recursive: true });
await writeFile(REPORT, soakReport({ started, database: await databaseName(), stormMs: STORM_MS, runs }));
console.log(`The report is in ${REPORT}.`);
process.exitCode = runs.every(({ violations }) => violations.length === 0) ? 0 : 1;

/** Rejected means that work did not go on after a fault: that is a violation too. */
async function attempt(suite: Suite, seed: number): Promise<Outcome> {
  return suite(seed).catch((error: Error) => ({
    faults: new Map(),
    entries: 0,
    acknowledged: 0,
    violations: [error.message],
    logs: error.stack ?? '',
  }));
}

async function writers(processes: number, seed: number): Promise<Outcome> {
  const { counts, ...report } = await contend({ seed, processes, stormMs: STORM_MS });
  return { ...report, acknowledged: counts.acknowledged };
}

async function databaseName(): Promise<string> {
  await using mongo = await startMongo({ toBreak: true });
  return `${mongo.kind}, which says it is MongoDB ${(await mongo.command({ buildInfo: 1 })).version}`;
}
