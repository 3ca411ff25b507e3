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
  test: { pool: 'forks', testTimeout: 30_000 },
});
