/** All tests that Playwright does not run: most without a browser, and `other browsers` (Firefox, WebKitGTK). */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { testLength } from './test/support/runs.ts';

const OTHER_BROWSERS = 'test/otherBrowsers/**/*.test.ts';
/** Latencies of this machine: other tests at the same time would be measured, too. */
const TIMED = 'test/bench/beside/*.test.ts';
/** They measure latencies, too, with bounds that a quiet machine keeps. */
const ATTACKS = ['attacks/attacks', 'attacks/guards', 'attacks/http2', 'restart'].map(
  (name) => `test/fault/${name}.test.ts`,
);

/** Whole clients, on a clock of their own: npm test runs them while the attacks leave processor time. */
const SIMULATIONS = 'test/web/simulation/*.test.ts';

/**
 * Each takes from 15 s to two minutes. They start first, in this order, so that the run ends with short files. The contract
 * computes while those around it wait.
 */
const LONGEST = [
  'test/fault/attacks/lingering.test.ts',
  'test/server/store/mongo/contract.test.ts',
  'test/server/store/mongo/open/open.test.ts',
  'test/fault/mongo/away.test.ts',
  'test/server/store/mongo/open/upgrade.test.ts',
  'test/server/store/mongo/away.test.ts',
  'test/server/store/mongo/tail/failures.test.ts',
  'test/server/store/sqlite/processLock.test.ts',
  'test/fault/mongo/writers.test.ts',
  'test/server/migrate/moveDatabase.test.ts',
  'test/server/migrate/inUse.test.ts',
  'test/contract/broken/broken.test.ts',
  'test/server/store/mongo/histories.test.ts',
  'test/fault/mongo/versions.test.ts',
  'test/fault/mongo/chat.test.ts',
  'test/fault/proxies/proxies.test.ts',
  'test/server/store/mongo/open/migrate.test.ts',
  'test/server/backup/backup.test.ts',
  'test/server/backup/restore.test.ts',
  'test/fault/attacks/onMongo.test.ts',
  'test/bench/subset.test.ts',
  'test/fault/mongo/workers.test.ts',
  'test/fault/mongo/presence.test.ts',
  'test/fault/mongo/workerConnections.test.ts',
  'test/server/realtime/nodes.test.ts',
  'test/server/operators/operators.test.ts',
  'test/support/mongo/mongo.test.ts',
  'test/server/realtime/endedSocket.test.ts',
  'test/fault/process.test.ts',
  'test/fault/killedCreation.test.ts',
  'test/server/store/sqlite/contract.test.ts',
];

const CHANGES_ITS_PROCESS = new RegExp(
  [
    /vi\.(mock|doMock|stub|spyOn|resetModules|useFakeTimers|setSystemTime)/,
    /countTransactions|countReads|useTestKinds|globalThis|\.prototype/,
    /process\.(env|on|umask|exit|kill|emit)/,
  ]
    .map(({ source }) => source)
    .join('|'),
);

/**
 * Tests that share a process with others, where modules are loaded once: a third of a second less CPU time for each file. Not
 * those that change what they would share (modules, globals, methods of the database, the process itself), not the longest,
 * and not the longest queue, which needs a process that is not busy.
 */
const SHARING = ['budgets', 'check', 'contract', 'server', 'shared', 'support', 'web'].flatMap((folder) =>
  readdirSync(`test/${folder}`, { recursive: true, encoding: 'utf8' })
    .map((path) => `test/${folder}/${path}`)
    .filter((path) => /\.test\.tsx?$/.test(path) && !/\/(simulation\/.*|longQueue\.test\.ts)$/.test(path))
    .filter((path) => !LONGEST.includes(path))
    .filter((path) => !CHANGES_ITS_PROCESS.test(readFileSync(path, 'utf8'))),
);

const ofUnit = {
  maxConcurrency: 2,
  maxWorkers: 4, // also on two cores, where the default is one: on average a file waits half of its time
  // some tests run thousands of seeds, and the machine may be busy
  testTimeout: testLength() === 'soak' ? 3_600_000 : 30_000,
};

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const missing = LONGEST.filter((path) => !existsSync(path));
    if (missing.length > 0) throw new Error(`vitest.config.ts names ${missing}, which does not exist`);
    const place = ({ moduleId }: TestSpecification) => {
      const at = LONGEST.findIndex((path) => moduleId.endsWith(`/${path}`));
      return at < 0 ? LONGEST.length : at;
    };
    return sorted.toSorted((a, b) => place(a) - place(b));
  }
}

export default defineConfig({
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  test: {
    pool: 'forks',
    hookTimeout: 30_000,
    // a line that the page logs while its test file ends would otherwise count as an error of the run
    disableConsoleIntercept: true,
    sequence: { sequencer: LongestFirst },
    tags: [{ name: 'slow', description: 'Takes seconds: `npm run test:quick` leaves it out.' }],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit', // unit tests, the stores' contract, tests of the server process
          include: ['test/**/*.test.{ts,tsx}'],
          exclude: [OTHER_BROWSERS, TIMED, SIMULATIONS, ...SHARING, ...ATTACKS],
          ...ofUnit,
        },
      },
      { extends: true, test: { name: 'unit, shared process', include: SHARING, isolate: false, ...ofUnit } },
      {
        extends: true,
        test: {
          name: 'simulations',
          include: [SIMULATIONS],
          ...ofUnit,
          maxWorkers: 2,
        },
      },
      {
        extends: true,
        test: { name: 'other browsers', include: [OTHER_BROWSERS], testTimeout: 120_000, maxWorkers: 2 },
      },
      { extends: true, test: { name: 'attacks', include: ATTACKS, testTimeout: 30_000, maxWorkers: 1 } },
      { extends: true, test: { name: 'timed', include: [TIMED], maxWorkers: 1 } },
    ],
  },
});
