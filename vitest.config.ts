/** Everything that Playwright does not run: what needs no browser, and by itself what is shown in other browsers, too. */
import { existsSync } from 'node:fs';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { testLength } from './test/support/runs.ts';

const OTHER_BROWSERS = 'test/otherBrowsers/**/*.test.ts';

/** Each of them takes a minute or so. Begun first, none of them is the last one that everything waits for. */
const LONGEST = [
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
          name: 'unit', // units, the contract of the store, the server as a process
          include: ['test/**/*.test.{ts,tsx}'],
          exclude: [OTHER_BROWSERS],
          maxConcurrency: 2,
          maxWorkers: 2, // also on two cores, where it would be one: many wait more than they work
          // some fold thousands of seeds; a machine with two cores may be busy
          testTimeout: testLength() === 'soak' ? 3_600_000 : 30_000,
        },
      },
      {
        extends: true,
        test: { name: 'other browsers', include: [OTHER_BROWSERS], testTimeout: 120_000, maxWorkers: 2 },
      },
    ],
  },
});
