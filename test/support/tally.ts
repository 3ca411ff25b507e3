/** Reads the reports of vitest and Playwright: passed and failed tests, and their durations. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

export interface Tally {
  passed: number;
  failed: number;
  timed: { title: string; ms: number }[];
}

export const NOTHING: Tally = { passed: 0, failed: 0, timed: [] };

export function sum(tallies: readonly Tally[]): Tally {
  return tallies.reduce(
    (all, one) => ({
      passed: all.passed + one.passed,
      failed: all.failed + one.failed,
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
  if (!existsSync(report)) return { ...NOTHING, failed: 1 };
  const { testResults } = JSON.parse(await readFile(report, 'utf8')) as VitestReport;
  const tests = testResults.flatMap((file) => file.assertionResults);
  const failed = tests.filter((test) => test.status === 'failed').length;
  return {
    passed: tests.filter((test) => test.status === 'passed').length,
    failed: code !== 0 ? Math.max(failed, 1) : failed,
    timed: tests.map((test) => ({ title: test.fullName, ms: test.duration ?? 0 })),
  };
}

/** A flaky test, which passed only on a retry, counts as failed. */
export async function ofPlaywright(report: string, code: number): Promise<Tally> {
  if (!existsSync(report)) return { ...NOTHING, failed: 1 };
  const { suites } = JSON.parse(await readFile(report, 'utf8')) as PlaywrightReport;
  const specs = suites.flatMap(specsOf);
  const statuses = specs.flatMap((spec) => spec.tests.map((test) => test.status));
  const failed = statuses.filter((status) => status === 'unexpected' || status === 'flaky').length;
  return {
    passed: statuses.filter((status) => status === 'expected').length,
    failed: code !== 0 ? Math.max(failed, 1) : failed,
    timed: specs.map((spec) => ({ title: spec.title, ms: durationOf(spec) })),
  };
}

interface VitestReport {
  testResults: { assertionResults: { status: string; fullName: string; duration?: number | null }[] }[];
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
  tests: { status: 'expected' | 'unexpected' | 'flaky' | 'skipped'; results: { duration: number }[] }[];
}

function specsOf(suite: Suite): Spec[] {
  return [...suite.specs, ...(suite.suites ?? []).flatMap(specsOf)];
}

function durationOf(spec: Spec): number {
  return spec.tests.flatMap((test) => test.results).reduce((total, result) => total + result.duration, 0);
}
