import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ofPlaywright, ofVitest, slowest, sum } from './tally.ts';
import { temporaryFolder } from './tmp.ts';

async function counted(of: typeof ofVitest, report: unknown, code: number): Promise<string> {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'report.json');
  if (report !== undefined) await writeFile(file, JSON.stringify(report));
  const { passed, failures } = await of(file, code);
  return `${passed} passed, ${failures.length} failed`;
}

const vitest = (...statuses: string[]) => ({
  testResults: [{ assertionResults: statuses.map((status) => ({ status, fullName: status, duration: 1 })) }],
});
const playwright = (...statuses: string[]) => ({
  suites: [
    {
      specs: [],
      suites: [
        {
          specs: statuses.map((status) => ({
            title: status,
            tests: [{ status, results: [{ duration: 1 }] }],
          })),
        },
      ],
    },
  ],
});

test.each<[string, typeof ofVitest, unknown, number, string]>([
  ['vitest', ofVitest, vitest('passed', 'failed', 'passed', 'skipped'), 1, '2 passed, 1 failed'],
  ['vitest with a file that did not load', ofVitest, vitest('passed'), 1, '1 passed, 1 failed'],
  ['vitest that did not get as far as a report', ofVitest, undefined, 1, '0 passed, 1 failed'],
  ['playwright', ofPlaywright, playwright('expected', 'unexpected', 'skipped'), 1, '1 passed, 1 failed'],
  [
    'playwright with one that needed another try',
    ofPlaywright,
    playwright('expected', 'flaky'),
    0,
    '1 passed, 1 failed',
  ],
])('%s is counted', async (_, of, report, code, line) => {
  expect(await counted(of, report, code)).toBe(line);
});

test('tallies add up, the slowest first', () => {
  const failure = { title: 'broken', message: 'expected 1, got 2' };
  const one = { passed: 1, failures: [], timed: [{ title: 'quick', ms: 1 }] };
  const other = { passed: 2, failures: [failure], timed: [{ title: 'slow', ms: 9 }] };
  const all = sum([one, other]);
  expect([all.passed, all.failures]).toEqual([3, [failure]]);
  expect(slowest(all, 1)).toEqual([{ title: 'slow', ms: 9 }]);
});

test('a browser test that timed out says also what it waited for', async () => {
  await using folder = await temporaryFolder();
  const errors = [
    { message: 'Test timeout of 1000ms exceeded.' },
    { message: 'waiting for the button “Send”' },
  ];
  const report = {
    suites: [
      {
        specs: [
          {
            title: 'slow',
            tests: [{ status: 'unexpected', results: [{ duration: 1, error: errors[0], errors }] }],
          },
        ],
      },
    ],
  };
  await writeFile(join(folder.path, 'slow.json'), JSON.stringify(report));
  expect((await ofPlaywright(join(folder.path, 'slow.json'), 1)).failures).toEqual([
    { title: '[] slow', message: 'Test timeout of 1000ms exceeded.\nwaiting for the button “Send”' },
  ]);
});

test('a failed test is named with what it says, a file that did not load as well', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'report.json');
  const test = { status: 'failed', fullName: 'one of a file', failureMessages: ['expected 1, got 2'] };
  const broken = {
    name: 'broken.test.ts',
    status: 'failed',
    message: 'no such module',
    assertionResults: [],
  };
  await writeFile(file, JSON.stringify({ testResults: [{ assertionResults: [test] }, broken] }));
  expect((await ofVitest(file, 1)).failures).toEqual([
    { title: 'one of a file', message: 'expected 1, got 2' },
    { title: 'broken.test.ts', message: 'no such module' },
  ]);
});
