/** `npm run check`: types, format and lint, import rules, SPEC.md, docs/PROTOCOL.md, references to files, the size of the page. Seconds; before every commit. */
import { runChecks } from './checks.ts';

const outcomes = await runChecks((outcome) => {
  const seconds = (outcome.ms / 1000).toFixed(1);
  console.log(`${outcome.problems.length === 0 ? 'ok  ' : 'FAIL'} ${outcome.name} (${seconds} s)`);
  for (const problem of outcome.problems) console.log(problem.replace(/^/gm, '     '));
});
process.exitCode = outcomes.every((outcome) => outcome.problems.length === 0) ? 0 : 1;
