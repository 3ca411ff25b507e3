/** Reads and writes the data of all rounds. A new measurement of a setting replaces the old one. */
import { readFile, writeFile } from 'node:fs/promises';
import { ROOT } from '../support/tools.ts';
import { type Results, reportOf } from './report.ts';

export async function readResults(): Promise<Results> {
  const text = await readFile(DATA, 'utf8').catch(() => '{}');
  return JSON.parse(text) as Results;
}

export async function writeResults(results: Results): Promise<void> {
  await writeFile(DATA, `${JSON.stringify(results, rounded, 2)}\n`);
  await writeFile(PAGE, reportOf(results));
}

const DATA = `${ROOT}/docs/benchmark.json`;
const PAGE = `${ROOT}/docs/BENCHMARK.md`;

function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(5)) : value;
}
