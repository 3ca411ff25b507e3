/** Vitest's configuration for unit tests of a broken client; the environment variable VARIANT names the variant (variants.ts). */
import { defineConfig } from 'vitest/config';
import { ROOT } from '../../support/tools.ts';
import { breakSource } from './modules.ts';

const variant = process.env.VARIANT ?? '';

export default defineConfig({
  root: ROOT,
  plugins: [
    {
      name: 'broken client',
      enforce: 'pre',
      transform: (source, path) => breakSource(variant, path, source),
    },
  ],
  // few tests in one or two files: one thread costs half of what processes would
  test: { pool: 'threads', isolate: false, maxWorkers: 1, testTimeout: 30_000 },
});
