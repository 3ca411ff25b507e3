/** `npm run check`: runs all checks in seconds. Run it before every commit. */
import { runChecks } from './checks.ts';

const outcomes = await runChecks((outcome) => {
  const seconds = (outcome.ms / 1000).toFixed(1);
  console.log(`${outcome.problems.length === 0 ? 'ok  ' : 'FAIL'} ${outcome.name} (${seconds} s)`);
  for (const problem of outcome.problems) console.log(problem.replace(/^/gm, '     '));
});
process.exitCode = outcomes.every((outcome) => outcome.problems.length === 0) ? 0 : 1;
