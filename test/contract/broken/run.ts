/** The contract on stores that are broken on purpose, in a vitest of its own: `node run.ts REPORT`. */
import { startVitest } from 'vitest/node';

const [report] = process.argv.slice(2) as [string];

// in memory a case takes milliseconds; what a broken tail does not tell is waited for in vain
process.env.HEARD_WITHIN_MS = '400';
const vitest = await startVitest('test', [], {
  config: false,
  watch: false,
  include: ['test/contract/broken/everyFault.ts'],
  pool: 'forks',
  testTimeout: 3_000,
  reporters: ['json'],
  outputFile: report,
});
await vitest.close();
