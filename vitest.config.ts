/** Everything that Playwright does not run: what needs no browser, and by itself what is shown in other browsers, too. */
import { defineConfig } from 'vitest/config';
import { testLength } from './test/support/runs.ts';

const OTHER_BROWSERS = 'test/otherBrowsers/**/*.test.ts';

export default defineConfig({
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  test: {
    pool: 'forks',
    hookTimeout: 30_000,
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
