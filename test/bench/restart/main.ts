/**
 * `node test/bench/restart/main.ts`: a rolling restart of two workers on MongoDB, and a restart of one process on SQLite, with
 * 3,000 clients (`--clients N`). BENCH_MONGOD names another database than that of the tests, which is slow with so many. `--only roll` or `--only restart` runs one of the two.
 */
import { parseArgs } from 'node:util';
import { spreadOf } from '../statistics.ts';
import { type How, measureRestart } from './restart.ts';

const { values } = parseArgs({
  options: { clients: { type: 'string', default: '3000' }, only: { type: 'string' } },
});

for (const how of ['roll', 'restart'] satisfies How[]) {
  if (values.only !== undefined && values.only !== how) continue;
  const clients = Number(values.clients);
  const report = await measureRestart({ how, clients, writers: 4, backWithinMs: 60_000 });
  const { absences } = report;
  const s = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
  const away = spreadOf(absences.map(({ lostAt, backAt }) => backAt - lostAt));
  const answer = spreadOf(absences.map(({ triedAt, backAt }) => backAt - triedAt));
  const told = absences.filter((one) => one.told !== undefined).length;
  console.log(`${how}, ${clients} clients: ${s(report.restartMs)} for the restart, everybody back ${s(report.allBackMs)} after the first loss
  absences: ${absences.length}, ${told} of them after a bye; away for ${s(away.median)} (${s(away.least)} to ${s(away.most)})
  from the first try to the welcome: ${Math.round(answer.median)} ms (to ${Math.round(answer.most)} ms)
  at most ${report.peakPerSecond} welcomes in one second
  CPU of the server meanwhile: ${s(report.cpuMs.during)}, without the restart ${s(report.cpuMs.before)}
  ${report.written} messages written meanwhile, ${report.sentAgain} entries sent again; ${report.violations.length === 0 ? 'nothing lost, nothing doubled' : report.violations.join('; ')}`);
  if (report.violations.length > 0) process.exitCode = 1;
}
process.exit();
