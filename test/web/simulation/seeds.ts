/**
 * Runs seeds by hand or for a test, in a process of its own: `node test/web/simulation/seeds.ts --seeds 392,1-20000`.
 * `--journal` prints all events of each run. `--variant NAME` breaks the client first (variants.ts), `--story NAME` uses that
 * story for all seeds (stories.ts). It stops at the first breach; with `--rules S1,O4` at the first of these rules, with `--all`
 * at none.
 */
import { parseArgs } from 'node:util';
import { prepareModules } from './modules.ts';
import { makeQuick } from './quick.ts';
import type { StoryName } from './stories.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1-100' },
    story: { type: 'string' },
    variant: { type: 'string' },
    journal: { type: 'boolean' },
    all: { type: 'boolean' },
    rules: { type: 'string' },
  },
});

makeQuick(values.journal === true);
prepareModules(values.variant);
const { simulate } = await import('./simulate.ts');
await import('../../../web/state/later.ts');

const seeds = values.seeds.split(',').flatMap((part) => {
  const [first, last = first] = part.split('-').map(Number) as [number, number?];
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
});
const warnings: unknown[][] = [];
console.warn = (...said) => void warnings.push(said);
process.on('unhandledRejection', (error) => warnings.push(['unhandled', error]));
let ran = 0;
let failed = 0;
const began = process.cpuUsage();
for (const seed of seeds) {
  warnings.length = 0;
  const report = await simulate(seed, values.story as StoryName | undefined);
  ran++;
  if (values.journal) console.log(report.journal.join('\n'));
  const odd = warnings.find(([said]) => said === 'unhandled');
  const breach = report.breach ?? (odd && String((odd[1] as Error)?.stack ?? odd[1]));
  if (!breach) continue;
  failed++;
  console.log(`seed ${seed}, after ${report.steps} steps: ${breach}`);
  if (!values.all && isSought(breach)) {
    if (!values.journal) console.log(report.journal.slice(-90).join('\n'));
    break;
  }
}
const { user, system } = process.cpuUsage(began);
console.log(`${ran} seeds, ${failed} failed, ${((user + system) / 1_000 / ran).toFixed(1)} ms each`);
process.exit(failed > 0 ? 1 : 0); // a client that stands still may keep a timer

/** A breach of another rule is printed, and does not stop. */
function isSought(breach: string): boolean {
  return !values.rules || values.rules.split(',').some((rule) => breach.startsWith(`${rule}: `));
}
