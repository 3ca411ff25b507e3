/** Reads the reports of vitest and Playwright: passed tests, failed ones with what they say, and their durations. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

export interface Tally {
  passed: number;
  failures: Failure[];
  timed: { title: string; ms: number }[];
}

export interface Failure {
  title: string;
  message: string;
}

export const NOTHING: Tally = { passed: 0, failures: [], timed: [] };

export function sum(tallies: readonly Tally[]): Tally {
  return tallies.reduce(
    (all, one) => ({
      passed: all.passed + one.passed,
      failures: [...all.failures, ...one.failures],
      timed: [...all.timed, ...one.timed],
    }),
    NOTHING,
  );
}

export function slowest(tally: Tally, count: number): Tally['timed'] {
  return tally.timed.toSorted((a, b) => b.ms - a.ms).slice(0, count);
}

/** A runner that exits with an error but without a failed test (a file that does not load, a crash) counts as one failure. */
export async function ofVitest(report: string, code: number): Promise<Tally> {
  if (!existsSync(report)) return withoutReport(report, code);
  const { testResults } = JSON.parse(await readFile(report, 'utf8')) as VitestReport;
  const tests = testResults.flatMap((file) => file.assertionResults);
  const failed = tests
    .filter((test) => test.status === 'failed')
    .map((test) => ({ title: test.fullName, message: (test.failureMessages ?? []).join('\n') }));
  const unloaded = testResults
    .filter((file) => file.status === 'failed' && file.assertionResults.length === 0)
    .map((file) => ({ title: file.name ?? 'a file', message: file.message ?? '' }));
  return {
    passed: tests.filter((test) => test.status === 'passed').length,
    failures: orExit([...failed, ...unloaded], report, code),
    timed: tests.map((test) => ({ title: test.fullName, ms: test.duration ?? 0 })),
  };
}

/** A flaky test, which passed only on a retry, counts as failed. */
export async function ofPlaywright(report: string, code: number): Promise<Tally> {
  if (!existsSync(report)) return withoutReport(report, code);
  const { suites } = JSON.parse(await readFile(report, 'utf8')) as PlaywrightReport;
  const specs = suites.flatMap(specsOf);
  const runs = specs.flatMap((spec) => spec.tests.map((test) => ({ title: spec.title, ...test })));
  const failed = runs
    .filter(({ status }) => status === 'unexpected' || status === 'flaky')
    .map(({ title, projectName, results }) => ({
      title: `[${projectName ?? ''}] ${title}`,
      message: results.flatMap(messagesOf).join('\n'),
    }));
  return {
    passed: runs.filter(({ status }) => status === 'expected').length,
    failures: orExit(failed, report, code),
    timed: specs.map((spec) => ({ title: spec.title, ms: durationOf(spec) })),
  };
}

/** Of a test that timed out, the first error says only that; the second, what it waited for. */
function messagesOf({ errors, error }: Result): string[] {
  return (errors ?? [error]).flatMap((one) => one?.message ?? []);
}

function withoutReport(report: string, code: number): Tally {
  return {
    ...NOTHING,
    failures: [{ title: report, message: `no report; the runner’s exit code is ${code}` }],
  };
}

function orExit(failures: Failure[], report: string, code: number): Failure[] {
  if (failures.length > 0 || code === 0) return failures;
  return [
    { title: report, message: `no test failed, but the runner’s exit code is ${code}: see its output` },
  ];
}

interface VitestReport {
  testResults: {
    name?: string;
    status?: string;
    message?: string;
    assertionResults: {
      status: string;
      fullName: string;
      duration?: number | null;
      failureMessages?: string[];
    }[];
  }[];
}

interface PlaywrightReport {
  suites: Suite[];
}

interface Suite {
  suites?: Suite[];
  specs: Spec[];
}

interface Spec {
  title: string;
  tests: {
    projectName?: string;
    status: 'expected' | 'unexpected' | 'flaky' | 'skipped';
    results: Result[];
  }[];
}

interface Result {
  duration: number;
  error?: { message?: string };
  errors?: { message?: string }[];
}

function specsOf(suite: Suite): Spec[] {
  return [...suite.specs, ...(suite.suites ?? []).flatMap(specsOf)];
}

function durationOf(spec: Spec): number {
  return spec.tests.flatMap((test) => test.results).reduce((total, result) => total + result.duration, 0);
}
