/**
 * `npm test`: installs what the tests need, runs all of them, and ends with one line that counts them.
 * `npm run test:quick`, for daily work, leaves out the tests tagged `slow`, most random runs (test/support/runs.ts), most
 * browser tests, and all browsers but Chromium.
 * `node test/run.ts --only timed` measures latencies of appends beside reads, which `npm test` does not: on a virtual or busy
 * machine they say more about the machine.
 * During development: `node test/run.ts --only check|unit|browser [filter …]`; `vitest run FILE` works by itself too.
 * TEST_MONGODB_URL is a replica set of your own, for the tests that do not damage the database (test/support/setup/mongo.ts).
 */
import { mkdir, rm } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { runChecks } from './check/checks.ts';
import type { TestLength } from './support/runs.ts';
import { startServer } from './support/serverProcess.ts';
import { chromiumsForTests, chromiumsInWords } from './support/setup/browser.ts';
import { firefoxForTests } from './support/setup/firefox.ts';
import { prepareMongo } from './support/setup/mongo.ts';
import { opensslForTests, promtoolForTests } from './support/setup/programs.ts';
import { proxiesForTests } from './support/setup/proxies.ts';
import { pythonForTests } from './support/setup/python.ts';
import { CannotSetUp } from './support/setup/root.ts';
import { IS_OF_THIS_SYSTEM, webKitForTests } from './support/setup/webkit.ts';
import { NOTHING, ofPlaywright, ofVitest, slowest, sum, type Tally } from './support/tally.ts';
import { ROOT, runTool, runToolIdly } from './support/tools.ts';

/** Files of tests, as Playwright's grep sees them. Here the seconds are those of a network, with little work on either side. */
const SLOW_NETWORKS = String.raw`(slow|networks)\.e2e\.ts`;
/** Work for the processors alone, which no user waits for. */
const AXE = String.raw`accessible\.e2e\.ts`;
/** Here they are the machine's; so are those of a test that holds a promise in seconds (`ALONE` in test/e2e/fixtures.ts). */
const ALONE = String.raw`budgets\.e2e\.ts|@alone`;
/** What a person does first, by the whole stack. */
const QUICK = String.raw`(chat|conversation|offline|refused)\.e2e\.ts`;
/** When what they run beside has long ended. */
const IDLY_WITHIN_MS = 300_000;
const QUICK_ONES = ['--tags-filter=!slow'];
const REPORTS = `${ROOT}/node_modules/.cache/holdfast-tests`;
/** Compiled modules, for the hundreds of processes of a run: a server starts with half the CPU time. Node keeps it up to date. */
process.env.NODE_COMPILE_CACHE ??= `${ROOT}/node_modules/.cache/compiled`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string' }, quick: { type: 'boolean', default: false } },
});
if (values.quick) process.env.TEST_LENGTH = 'quick' satisfies TestLength;
const tally = await everything().catch((error: unknown) => {
  if (!(error instanceof CannotSetUp)) throw error;
  console.error(`\n${error.message}\n`);
  return { ...NOTHING, failures: [{ title: 'setup', message: error.message }] };
});

console.log('\nThe slowest:');
for (const { title, ms } of slowest(tally, 10))
  console.log(`${(ms / 1000).toFixed(1).padStart(7)} s  ${title}`);
// Last, since often only the end of a long log is kept.
for (const { title, message } of tally.failures)
  console.log(`\nFAILED ${title}\n${message.slice(0, 2_000).replace(/^/gm, '    ')}`);
console.log(`\n${tally.passed} passed, ${tally.failures.length} failed`);
process.exitCode = tally.failures.length === 0 && tally.passed > 0 ? 0 : 1;

async function everything(): Promise<Tally> {
  await rm(REPORTS, { recursive: true, force: true });
  await mkdir(REPORTS, { recursive: true });
  // What is installed comes over the network, one after the other (apt-get has a lock); the checks need none of it.
  const [, tallies] = await Promise.all([install(), checkAndBuild()]);
  if (wants('unit')) tallies.push(await step('unit', unit));
  if (wants('unit') && values.quick) tallies.push(await step('simulations', simulations));
  if (wants('unit') && !values.quick) tallies.push(await step('attacks, simulations', attacks));
  if (wants('browser')) tallies.push(await step('browser tests', browser));
  if (wants('browser') && !values.quick) tallies.push(await step('other browsers', otherBrowsers));
  if (values.only === 'timed') tallies.push(await step('timed', timed));
  return sum(tallies);
}

async function install(): Promise<void> {
  if (wants('browser')) await step('browsers', browsers);
  if (wants('unit')) await step('openssl', opensslForTests);
  if (wants('unit') && !values.quick) await step('proxies', proxiesForTests);
  if (wants('unit') && !values.quick) await step('promtool', promtoolForTests);
  if (wants('unit')) await step('python-socketio', pythonForTests);
  if (wants('unit') || wants('browser')) await step('mongodb', mongo);
}

async function checkAndBuild(): Promise<Tally[]> {
  const tallies: Tally[] = [];
  if (wants('check')) tallies.push(await step('check', checks));
  if (!wants('unit') && !wants('browser')) return tallies;
  tallies.push(await step('page', page));
  await step('compiled server', compiledServer);
  return tallies;
}

/** A filter may match tests of one runner only; if it matches none at all, the last line shows it. */
function filters(): string[] {
  return positionals.length === 0 ? [] : [...positionals, '--pass-with-no-tests'];
}

function wants(part: 'check' | 'unit' | 'browser'): boolean {
  return values.only === undefined || values.only === part;
}

async function step<T>(name: string, run: () => Promise<T>): Promise<T> {
  console.log(`\n== ${name}`);
  const start = performance.now();
  const result = await run();
  console.log(`== ${name}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return result;
}

async function browsers(): Promise<void> {
  const chromiums = await chromiumsForTests(!values.quick);
  Object.assign(process.env, chromiums);
  const inWords = `Browsers: ${chromiumsInWords(chromiums)}`;
  if (values.quick) return console.log(inWords);
  process.env.FIREFOX_PATH = await firefoxForTests();
  console.log(`${inWords}; Firefox: ${process.env.FIREFOX_PATH}`);
  if (IS_OF_THIS_SYSTEM) await webKitForTests();
  else console.log('WebKitGTK runs on Linux only: its tests are skipped here.');
}

async function mongo(): Promise<void> {
  console.log(`MongoDB: ${await prepareMongo()}`);
}

async function checks(): Promise<Tally> {
  const outcomes = await runChecks(({ name, problems }) => {
    console.log(`${problems.length === 0 ? 'ok  ' : 'FAIL'} ${name}`);
    for (const problem of problems) console.log(problem.replace(/^/gm, '     '));
  });
  const failures = outcomes
    .filter(({ problems }) => problems.length > 0)
    .map(({ name, problems }) => ({ title: `check: ${name}`, message: problems.join('\n') }));
  const timed = outcomes.map(({ name, ms }) => ({ title: `check: ${name}`, ms }));
  return { passed: outcomes.length - failures.length, failures, timed };
}

async function page(): Promise<Tally> {
  const { code } = await runTool('vite', ['build', '--logLevel', 'warn'], { show: true });
  return code === 0
    ? NOTHING
    : { ...NOTHING, failures: [{ title: 'vite build', message: `exit code ${code}` }] };
}

/** Node writes what it has compiled when a process ends by itself; most tests kill theirs. */
async function compiledServer(): Promise<void> {
  try {
    await using server = await startServer();
    await server.stop();
  } catch (error) {
    console.error(error); // the tests will say it, too
  }
}

function unit(): Promise<Tally> {
  return values.quick ? vitest('unit*', QUICK_ONES) : vitest('unit*');
}

/** Firefox and WebKitGTK: separately, since each starts a dozen processes. */
function otherBrowsers(): Promise<Tally> {
  return vitest('other browsers');
}

function simulations(): Promise<Tally> {
  return vitest('simulations', QUICK_ONES);
}

/**
 * They measure how long innocents wait, so beside them runs only what takes the processor time that they leave. Simulations
 * have a clock of their own, and nothing waits for them.
 */
function attacks(): Promise<Tally> {
  return idlyBeside(
    () => vitest('attacks'),
    (runIt) => vitest('simulations', [], runIt),
  );
}

/**
 * Runs `idle` on the processor time that `first` leaves; again, with all of it, where that was too little: it did not end, or
 * all that failed took too long. Any other failure is one.
 */
async function idlyBeside(
  first: () => Promise<Tally>,
  idle: (runIt: typeof runTool) => Promise<Tally>,
): Promise<Tally> {
  const beside = idle((name, args, options) =>
    runToolIdly(name, args, { ...options, withinMs: IDLY_WITHIN_MS }),
  );
  const ofFirst = await first();
  const ofIdle = await beside;
  const tookTooLong = ofIdle.failures.every(({ message }) => /^no report|timed? ?out/i.test(message));
  if (ofIdle.failures.length === 0 || !tookTooLong) return sum([ofFirst, ofIdle]);
  console.log('\n== again: what ran beside others had too little time');
  return sum([ofFirst, await idle(runTool)]);
}

/** One after the other, for a machine that does nothing else. */
function timed(): Promise<Tally> {
  return vitest('timed');
}

/** Runs a project of vitest.config.ts, or several whose names begin so. */
async function vitest(
  project: string,
  which: readonly string[] = [],
  runIt: typeof runTool = runTool,
): Promise<Tally> {
  const report = `${REPORTS}/${project.replace('*', '')}.json`;
  await rm(report, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const args = ['run', `--project=${project}`, ...which, ...reporters, ...filters()];
  const { code } = await runIt('vitest', args, { show: true });
  return ofVitest(report, code);
}

/**
 * Several at a time, for two cores: half of a test is waiting, and with a slow network most of it; the time that this leaves
 * is for axe. What is measured has the machine to itself.
 */
async function browser(): Promise<Tally> {
  if (values.quick) return playwright('quick', ['--workers=2', '--project=sqlite', `--grep=${QUICK}`]);
  const elsewhere = `--grep-invert=${SLOW_NETWORKS}|${AXE}|${ALONE}`;
  const together = await playwright('together', ['--workers=3', elsewhere]);
  // each run empties its folder
  const axe = ['--workers=2', '--fully-parallel', `--grep=${AXE}`, '--output=test-results/axe'];
  const slow = await idlyBeside(
    () => playwright('slow networks', ['--workers=3', `--grep=${SLOW_NETWORKS}`, `--grep-invert=${ALONE}`]),
    (runIt) => playwright('axe', axe, runIt),
  );
  const alone = await playwright('alone', [`--grep=${ALONE}`]);
  return sum([together, slow, alone]);
}

async function playwright(
  name: string,
  which: readonly string[],
  runIt: typeof runTool = runTool,
): Promise<Tally> {
  const report = `${REPORTS}/playwright-${name}.json`;
  await rm(report, { force: true });
  const env = { PLAYWRIGHT_JSON_OUTPUT_FILE: report };
  const args = ['test', '--reporter=list,json', ...which, ...filters()];
  const { code } = await runIt('playwright', args, { show: true, env });
  return ofPlaywright(report, code);
}
