/** Tests the contract suite itself: for each broken store (faults.ts) the cases that must fail do fail. */
// @module-tag slow
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../support/tmp.ts';
import { run } from '../../support/tools.ts';
import { FAULTS } from './faults.ts';

const WITHIN_MS = 480_000;
/** Steps of the shortest history that shows a fault: one to set up, one or two concurrent ones, one to read. */
const MOST_STEPS = 4;

interface Case {
  ancestorTitles: string[];
  title: string;
  status: string;
  failureMessages: string[];
}

let cases: Case[];

beforeAll(async () => {
  await using folder = await temporaryFolder();
  const report = join(folder.path, 'report.json');
  const { output } = await run(process.execPath, [join(import.meta.dirname, 'run.ts'), report]);
  const { testResults } = JSON.parse(await readFile(report, 'utf8').catch(() => '{"testResults":[]}'));
  cases = testResults.flatMap((file: { assertionResults: Case[] }) => file.assertionResults);
  expect(cases.length, output).toBeGreaterThan(0);
}, WITHIN_MS);

const failedOf = (name: string) =>
  cases.filter((one) => one.ancestorTitles.includes(name) && one.status === 'failed');

it('the store without a fault passes', () => {
  expect(failedOf('none').map((one) => one.title)).toEqual([]);
  expect(cases.filter((one) => one.ancestorTitles.includes('none')).length).toBeGreaterThan(90);
});

it('every case of the contract can fail', () => {
  const titleOf = ({ ancestorTitles, title }: Case) => [...ancestorTitles.slice(1), title].join(' > ');
  const failed = new Set(cases.filter((one) => one.status === 'failed').map(titleOf));
  const never = cases.map(titleOf).filter((title) => !failed.has(title));
  expect([...new Set(never)]).toEqual([]);
});

describe('the contract fails for:', () => {
  it.each(FAULTS)('$name', ({ name, caughtBy }) => {
    const failed = failedOf(name).map((one) => one.title);
    for (const title of caughtBy) expect(failed).toContainEqual(expect.stringContaining(title));
  });
});

describe('a short random history fails for:', () => {
  it.each(FAULTS.filter((fault) => fault.byHistories))('$name', ({ name }) => {
    const [found] = failedOf(name).filter((one) => one.title.includes('any history'));
    const counterexample = /Counterexample: (.*)/.exec(found?.failureMessages.join('\n') ?? '')?.[1];
    expect(counterexample).toBeDefined();
    const [steps] = JSON.parse(counterexample!);
    expect(steps.length, counterexample).toBeLessThanOrEqual(MOST_STEPS);
  });
});
