import { expect, test } from 'vitest';
import { FIGURES, verdictOn } from './figures.ts';
import { reportOf } from './report.ts';
import type { Measured, Round } from './round.ts';
import { spreadOf } from './statistics.ts';

test('the median of an even number of values is the mean of the middle two', () => {
  expect(spreadOf([3, 1, 2])).toEqual({ median: 2, least: 1, most: 3 });
  expect(spreadOf([4, 1, 2, 3])).toEqual({ median: 2.5, least: 1, most: 4 });
});

test('more is better for some figures and less for others', () => {
  expect([4.9, 5, 10].map((ratio) => verdictOn(FIGURES.acknowledged, ratio))).toEqual([
    'missed',
    'must',
    'aim',
  ]);
  expect([1.01, 1, 0.95].map((ratio) => verdictOn(FIGURES.memory, ratio))).toEqual(['missed', 'must', 'aim']);
});

test('the report has a line for each figure, with the median of the ratios within rounds', () => {
  const rounds = [roundOf(100, 400), roundOf(10, 60), roundOf(1, 100)];
  const machine = { processor: 'P', cores: 2, system: 'S', node: '24', socketIo: '4' };
  const report = reportOf({ sqlite: { date: '2026-01-02T03:04:05Z', machine, database: 'D', rounds } });
  const lines = report.split('\n').filter((line) => line.startsWith('| ') && line.includes('×'));
  expect(lines).toHaveLength(Object.keys(FIGURES).length);
  expect(lines[0]).toBe(
    `| ${FIGURES.acknowledged.title} | ≥ 5 × | ≥ 10 × | **6 ×** | 4 – 100 | 10 /s | 100 /s | must reached |`,
  );
});

function roundOf(tutorial: number, holdfast: number): Round {
  return { tutorial: measured(tutorial), holdfast: measured(holdfast) };
}

function measured(acknowledgedPerSecond: number): Measured {
  return {
    saturation: {
      acknowledgedPerSecond,
      cpuPerMessage: 1,
      deliveriesPerCpuSecond: 1,
      deliveredPerSecond: 1,
      cores: { servers: 1, database: 0, load: 0.1 },
    },
    latency: { p50: 1, p99: 2 },
    resume: { bytesReceived: 100, bytesSent: 10 },
    bytesPerConnection: 1_000,
    operations: { all: 1 },
  };
}
