/**
 * `npm run soak`: what `npm test` has no time for. First the random runs of test/support/runs.ts, many times as many of
 * each; then, for `--minutes` (30) and from `--seed` (1) on, the faults of test/fault/mongo, which are reported in
 * docs/soak.md. `--only random` and `--only faults` run one of the two. A run of the faults can be repeated by its seed.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { spend } from './fault/mongo/chat/evening.ts';
import { type SoakRun, soakReport } from './fault/mongo/report.ts';
import { contend } from './fault/mongo/writers/contend.ts';
import { startMongo } from './support/mongo/index.ts';
import { filesWithRuns, type TestLength } from './support/runs.ts';
import { prepareMongo } from './support/setup/mongo.ts';
import { ROOT, runTool } from './support/tools.ts';

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
  options: {
    only: { type: 'string' },
    minutes: { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' },
  },
});
if (values.only !== undefined && values.only !== 'random' && values.only !== 'faults')
  throw new Error(`--only ${values.only}: it may be random or faults`);
const holds: boolean[] = [];
if (values.only !== 'faults') holds.push(await randomRuns());
if (values.only !== 'random') holds.push(await faults());
process.exitCode = holds.every(Boolean) ? 0 : 1;

/** Resolves with whether all of them passed. */
async function randomRuns(): Promise<boolean> {
  await prepareMongo();
  const env = { TEST_LENGTH: 'soak' satisfies TestLength };
  const { code } = await runTool('vitest', ['run', '--project=unit', ...filesWithRuns()], {
    show: true,
    env,
  });
  return code === 0;
}

/** Writes the report. Resolves with whether nothing was violated. */
async function faults(): Promise<boolean> {
  const until = performance.now() + Number(values.minutes) * 60_000;
  const started = new Date();
  const runs: SoakRun[] = [];
  for (let seed = Number(values.seed); runs.length === 0 || performance.now() < until; seed++) {
    for (const [what, suite] of Object.entries(SUITES)) {
      const start = performance.now();
      const { logs, ...outcome } = await attempt(suite, seed);
      const seconds = (performance.now() - start) / 1000;
      runs.push({ what, seed, seconds, ...outcome });
      console.log(
        `${what}, seed ${seed}: ${outcome.entries} entries, ${outcome.violations.length} violations`,
      );
      if (outcome.violations.length > 0) console.log([...outcome.violations, logs].join('\n'));
    }
  }
  await mkdir(`${ROOT}/docs`, { recursive: true });
  await writeFile(REPORT, soakReport({ started, database: await databaseName(), stormMs: STORM_MS, runs }));
  console.log(`The report is in ${REPORT}.`);
  return runs.every(({ violations }) => violations.length === 0);
}

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
