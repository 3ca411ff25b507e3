/** Runs the contract on the broken stores in a vitest of its own: `node run.ts REPORT`. */
import { startVitest } from 'vitest/node';
import { FAULTS } from './faults.ts';

/** The full names of what everyFault.ts runs: of the correct store all cases, of a broken one those that must fail. */
const named = FAULTS.map(({ name, caughtBy, byHistories }) => {
  const parts = [...caughtBy, ...(byHistories ? ['any history'] : [])];
  return `^${escaped(name)} .*(?:${parts.map(escaped).join('|')})`;
});

const [report] = process.argv.slice(2) as [string];

// in memory a case takes milliseconds; for entries that a broken tail does not deliver, every millisecond is wasted
process.env.HEARD_WITHIN_MS = '400';
const vitest = await startVitest('test', [], {
  config: false,
  watch: false,
  include: ['test/contract/broken/everyFault.ts'],
  pool: 'forks',
  testTimeout: 3_000,
  testNamePattern: ['^none ', ...named].join('|'),
  reporters: ['json'],
  outputFile: report,
});
await vitest.close();

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
