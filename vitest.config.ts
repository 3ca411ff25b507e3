/** Everything that needs no browser: units, the contract of the store, the server as a process. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    pool: 'forks',
    testTimeout: 10_000,
    hookTimeout: 30_000,
  },
});
