/**
 * `npm run soak`: the long runs, for which `npm test` has no time. First the random runs of test/support/runs.ts, many times
 * more of each, and the attacks of test/fault/attacks, each for longer; then, for `--minutes` (30) and beginning at `--seed` (1),
 * the faults of test/fault/mongo, with a report in docs/soak.md. `--only random` and `--only faults` run one of the two. The seed of a fault run repeats it. `--suite` takes a
 * part of the name of a suite, such as "bad days", and runs that alone, without the report.
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
/** Each attack lasts 20 s instead of one. */
const ATTACKS = 'test/fault/attacks/attacks.test.ts';
const REPORT = `${ROOT}/docs/soak.md`;

type Outcome = Omit<SoakRun, 'what' | 'seed' | 'seconds'> & { logs: string };
type Suite = (seed: number) => Promise<Outcome>;

const SUITES: Record<string, Suite> = {
  'two processes on one room': (seed) => writers(2, seed),
  'four processes on one room': (seed) => writers(4, seed),
  'forty people, six rooms, three servers': (seed) =>
    spend({ seed, servers: 3, people: 40, rooms: 6, stormMs: STORM_MS }),
  'sixty people, ten rooms, three servers behind HAProxy: bad days of 15 s': (seed) =>
    spend({ seed, servers: 3, people: 60, rooms: 10, stormMs: 2 * STORM_MS, badDayMs: 15_000 }),
  'the same: bad days of a minute': (seed) =>
    spend({ seed, servers: 3, people: 60, rooms: 10, stormMs: 2 * STORM_MS, badDayMs: 60_000 }),
};

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    minutes: { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' },
    suite: { type: 'string' },
  },
});
if (values.only !== undefined && values.only !== 'random' && values.only !== 'faults')
  throw new Error(`--only ${values.only}: expected random or faults`);
const passed: boolean[] = [];
if (values.only !== 'faults') passed.push(await randomRuns());
if (values.only !== 'random') passed.push(await faults());
process.exitCode = passed.every(Boolean) ? 0 : 1;

/** Resolves with true if all random runs passed. */
async function randomRuns(): Promise<boolean> {
  await prepareMongo();
  const env = { TEST_LENGTH: 'soak' satisfies TestLength };
  const projects = ['unit*', 'simulations', 'attacks'].map((name) => `--project=${name}`);
  const { code } = await runTool('vitest', ['run', ...projects, ...filesWithRuns(), ATTACKS], {
    show: true,
    env,
  });
  return code === 0;
}

/** Writes the report. Resolves with true if no run has a violation. */
async function faults(): Promise<boolean> {
  const until = performance.now() + Number(values.minutes) * 60_000;
  const started = new Date();
  const runs: SoakRun[] = [];
  for (let seed = Number(values.seed); runs.length === 0 || performance.now() < until; seed++) {
    for (const [what, suite] of Object.entries(SUITES)) {
      if (values.suite !== undefined && !what.includes(values.suite)) continue;
      const start = performance.now();
      const { logs, ...outcome } = await attempt(suite, seed);
      const seconds = (performance.now() - start) / 1000;
      runs.push({ what, seed, seconds, ...outcome });
      console.log(
        `${what}, seed ${seed}: ${outcome.acknowledged} acknowledged, ${outcome.entries} entries, ${[...outcome.faults.values()].reduce((sum, times) => sum + times, 0)} faults in ${Math.round(seconds)} s, ${outcome.violations.length} violations`,
      );
      if (outcome.violations.length > 0) console.log([...outcome.violations, logs].join('\n'));
    }
  }
  if (values.suite !== undefined) return runs.every(({ violations }) => violations.length === 0);
  await mkdir(`${ROOT}/docs`, { recursive: true });
  await writeFile(REPORT, soakReport({ started, database: await databaseName(), stormMs: STORM_MS, runs }));
  console.log(`The report is in ${REPORT}.`);
  return runs.every(({ violations }) => violations.length === 0);
}

/** A suite rejects when writers or clients do not recover after a fault: that counts as a violation too. */
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
  return `${mongo.kind}, which reports MongoDB ${(await mongo.command({ buildInfo: 1 })).version}`;
}
