import { expect, test } from 'vitest';
import { type Capacity, reportOf } from './report.ts';

const machine = { processor: 'P', cores: 2, system: 'S', node: '24', socketIo: '4' };
const storm = { people: 5_000, cpuMs: 1.234, allInMs: 2_500 };
const behind = { people: 200, messages: 10_000, newestMs: 300, cpuMs: 220, sentToEach: 50 };
const capacity: Capacity = {
  date: '2026-01-02T03:04:05Z',
  machine,
  database: 'D',
  connected: [{ people: 1_000, cameInMs: 1_500, bytes: 100 * 1024 * 1024, cores: 0.012 }],
  spoken: [
    {
      title: 'one room of 200',
      mostPerSecond: 9_000,
      deliveredPerSecond: 1_800_000,
      cores: { servers: 1, database: 0, load: 0.7 },
      half: { perSecond: 4_500, p50: 4.25, p99: 12 },
    },
  ],
  stored: { entries: 500_000, diskBytes: 100 * 1024 * 1024, startMs: 800, bytes: 200 * 1024 * 1024 },
  storm: { tutorial: storm, holdfast: storm },
  behind: { tutorial: { ...behind, newestMs: 26_000 }, holdfast: behind },
};

test('the page has a table for each measurement of each store, and takes the disk for a million from what was stored', () => {
  const page = reportOf({
    sqlite: capacity,
    mongo1: { ...capacity, stored: { ...capacity.stored, diskBytes: undefined } },
  });
  for (const line of [
    '| 1,000 | 1.50 s | 100 MiB | 1.2 % |',
    '| one room of 200 | 9,000 | 1,800,000 | 4.3 ms | 12 ms | 1.00, 0.00, 0.70 |',
    '| 500,000 | 100 MiB | 200 MiB | 0.80 s | 200 MiB |',
    '| Holdfast | 2.50 s | 1.23 ms |',
    '| the tutorial’s server | 26 s | 0.22 s | 50 |',
    '| 500,000 | not told | not told | 0.80 s | 200 MiB |',
  ])
    expect(page.split('\n')).toContain(line);
  expect(page.match(/^## /gm)).toHaveLength(4);
});
