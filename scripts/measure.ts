/** `npm run measure`: measures everything that has a budget, and writes docs/MEASURE.md. `--quick`: a short run that writes nothing. */
import { writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { thisMachine } from '../test/bench/machine.ts';
import { type Absence, measureAbsence } from '../test/budgets/absence.ts';
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
const measured: Measured[] = [];
let chromium = '';
{
  await using stage = await setStage();
  chromium = stage.chromium;
  for (const slowdown of SLOWDOWNS) measured.push(await measure(stage, slowdown, amounts));
}
const absences: Absence[] = [];
for (const slowdown of values.quick ? [4] : [4, 8]) absences.push(await measureAbsence(slowdown));

const report = reportOf({
  date: new Date().toISOString(),
  machine: thisMachine(),
  chromium,
  load: [before, loadavg()[0]!],
  sizes: await sizesOfPage(),
  measured,
  absences,
});
console.log(report);
if (!values.quick) await writeFile(`${ROOT}/docs/MEASURE.md`, report);
