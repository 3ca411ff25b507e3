/** `node test/bench/beside/main.ts`: a line for each kind of read; `--entries`, `--turns`, `--only range|backup|scan`. */
import { parseArgs } from 'node:util';
import { COMPANY, measureBeside } from './measure.ts';

const { values } = parseArgs({
  options: {
    entries: { type: 'string', default: '200000' },
    turns: { type: 'string', default: '8' },
    only: { type: 'string' },
  },
});
const companies = COMPANY.filter((company) => values.only === undefined || values.only === company);
const { perSecond, by } = await measureBeside(companies, {
  entries: Number(values.entries),
  turns: Number(values.turns),
  turnMs: 1_000,
});
console.log(`${Math.round(perSecond)} appends a second, which is half of what goes`);
for (const [company, { alone, beside, reads }] of by) {
  const ms = (value: number) => `${value.toFixed(1)} ms`;
  const parts = [
    `alone p50 ${ms(alone.p50)}, p99 ${ms(alone.p99)} (${alone.appends} appends)`,
    `beside ${reads} of ${company} p50 ${ms(beside.p50)}, p99 ${ms(beside.p99)} (${beside.appends})`,
    `p99 ${(beside.p99 / alone.p99).toFixed(2)} ×`,
  ];
  console.log(parts.join('; '));
}
