/** Browser tests of the page: in a real Chromium of phone size, with the real server on either store. */
import { defineConfig } from '@playwright/test';
import { HEADLESS_SHELL, PHONE, WHOLE_CHROMIUM } from './test/support/chromium.ts';

export default defineConfig<object, { store: 'sqlite' | 'mongo' }>({
  testDir: 'test',
  testMatch: '**/*.e2e.ts',
  outputDir: 'test-results/browser',
  workers: 1, // the test machines have two cores; test/run.ts decides which tests run in parallel
  timeout: 120_000, // a guard against what hangs: the slowest take 20 s on a quiet machine, and three times that on a busy one
  expect: { timeout: 15_000 },
  forbidOnly: !!process.env.CI,
  projects: [
    { name: 'sqlite', use: { store: 'sqlite' } },
    // each scenario of both stores runs once with Background Sync, which the headless shell does not have
    { name: 'mongo', grep: /@both/, use: { store: 'mongo', ...WHOLE_CHROMIUM } },
  ],
  use: {
    ...PHONE,
    actionTimeout: 45_000, // a click that waits for ever names its line, which the end of the whole test does not
    locale: 'en-GB',
    trace: 'off', // a tenth of the CPU time of a test that passes; for one that fails: --trace=retain-on-failure
    screenshot: 'only-on-failure',
    launchOptions: HEADLESS_SHELL,
  },
});
