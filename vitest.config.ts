/** All tests that Playwright does not run: the project `unit`, without a browser, and `other browsers` (Firefox, WebKitGTK). */
import { existsSync } from 'node:fs';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { testLength } from './test/support/runs.ts';

const OTHER_BROWSERS = 'test/otherBrowsers/**/*.test.ts';
/** Latencies of this machine: other tests at the same time would be measured, too. */
const TIMED = 'test/bench/beside/*.test.ts';

/** Each takes about a minute. They start first, so that the run does not wait for one of them at the end. */
const LONGEST = [
  'test/fault/attacks/attacks.test.ts',
  'test/web/simulation/simulation.test.ts',
  'test/server/store/mongo/histories.test.ts',
  'test/contract/broken/broken.test.ts',
  'test/fault/mongo/writers.test.ts',
  'test/fault/mongo/chat.test.ts',
  'test/server/store/mongo/open/open.test.ts',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const missing = LONGEST.filter((path) => !existsSync(path));
    if (missing.length > 0) throw new Error(`vitest.config.ts names ${missing}, which does not exist`);
    const isLong = ({ moduleId }: TestSpecification) => LONGEST.some((path) => moduleId.endsWith(`/${path}`));
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

export default defineConfig({
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  test: {
    pool: 'forks',
    hookTimeout: 30_000,
    sequence: { sequencer: LongestFirst },
    tags: [{ name: 'slow', description: 'Takes seconds: `npm run test:quick` leaves it out.' }],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit', // unit tests, the stores' contract, tests of the server process
          include: ['test/**/*.test.{ts,tsx}'],
          exclude: [OTHER_BROWSERS, TIMED],
          maxConcurrency: 2,
          maxWorkers: 2, // also on two cores, where the default is one: many tests mostly wait
          // some tests run thousands of seeds, and the machine may be busy
          testTimeout: testLength() === 'soak' ? 3_600_000 : 30_000,
        },
      },
      {
        extends: true,
        test: { name: 'other browsers', include: [OTHER_BROWSERS], testTimeout: 120_000, maxWorkers: 2 },
      },
      { extends: true, test: { name: 'timed', include: [TIMED], maxWorkers: 1 } },
    ],
  },
});
