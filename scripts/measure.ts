/** `npm run measure`: measures everything that has a budget, and writes docs/MEASURE.md. `--quick`: a short run that writes nothing. */
import { writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { thisMachine } from '../test/bench/machine.ts';
import { A_LOOK, ENOUGH, type Measured, measure, SLOWDOWNS } from '../test/budgets/measure.ts';
import { reportOf } from '../test/budgets/report.ts';
import { setStage } from '../test/budgets/stage.ts';
import { buildIfStale, sizesOfPage } from '../test/check/size.ts';
import { ROOT } from '../test/support/tools.ts';

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const amounts = values.quick ? A_LOOK : ENOUGH;

const problems = await buildIfStale();
if (problems.length > 0) throw new Error(problems.join('\n'));
const before = loadavg()[0]!;
await using stage = await setStage();
const measured: Measured[] = [];
for (const slowdown of SLOWDOWNS) measured.push(await measure(stage, slowdown, amounts));

const report = reportOf({
  date: new Date().toISOString(),
  machine: thisMachine(),
  chromium: stage.chromium,
  load: [before, loadavg()[0]!],
  sizes: await sizesOfPage(),
  measured,
});
console.log(report);
if (!values.quick) await writeFile(`${ROOT}/docs/MEASURE.md`, report);
