/** `node test/bench/beside/main.ts`: prints a line for each kind of read; `--entries`, `--turns`, `--only range|backup|scan`. */
import { parseArgs } from 'node:util';
import { spreadOf } from '../statistics.ts';
import { COMPANY, measureBeside, type Turn } from './measure.ts';

const { values } = parseArgs({
  options: {
    entries: { type: 'string', default: '200000' },
    turns: { type: 'string', default: '9' },
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
for (const [company, turns] of by) {
  const of = (value: (turn: Turn) => number) => spreadOf(turns.map(value));
  const ms = (value: (turn: Turn) => number) => `${of(value).median.toFixed(1)} ms`;
  const ratio = of(({ alone, beside }) => beside.p99 / alone.p99);
  const reads = turns.reduce((sum, turn) => sum + turn.reads, 0);
  console.log(
    `beside ${reads} of ${company} in ${turns.length} turns: p50 ${ms(({ beside }) => beside.p50)} (alone ${ms(({ alone }) => alone.p50)}), p99 ${ms(({ beside }) => beside.p99)} (alone ${ms(({ alone }) => alone.p99)}): ${ratio.median.toFixed(2)} × (${ratio.least.toFixed(2)} to ${ratio.most.toFixed(2)})`,
  );
}
