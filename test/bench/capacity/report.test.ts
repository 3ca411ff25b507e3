import { expect, test } from 'vitest';
import { type Capacity, type Circumstances, reportOf } from './report.ts';

const on: Circumstances = {
  machine: { processor: 'P', cores: 2, system: 'S', node: '24', socketIo: '4' },
  database: 'D',
  code: { commit: 'abc1234', isChanged: false },
};
const run = {
  on,
  date: '2026-01-02T03:04:05Z',
  seconds: 21,
  before: { load: 0.25, cores: 0.012 },
  after: { load: 1.5, cores: 0.02 },
};
const MiB = 1024 * 1024;
const behind = {
  people: 200,
  messages: 10_000,
  newestMs: 300,
  without: 0,
  waitedMs: 1_000,
  cpuMs: 220,
  sentToEach: 50,
};
const capacity: Capacity = {
  measured: {
    'people connected': {
      ...run,
      result: [
        { people: 1_000, cameInMs: 1_500, bytes: 100 * MiB, cores: 0.012 },
        { people: 5_000, cameInMs: 9_000, bytes: 150 * MiB, cores: 0.05 },
      ],
    },
    'one room of 200': {
      ...run,
      result: {
        mostPerSecond: 9_000,
        deliveredPerSecond: 1_800_000,
        deliveries: { live: 1_000_000, fetched: 0, left: 0, cutOff: 0 },
        cores: { servers: 1, database: 0, load: 0.7 },
        half: {
          perSecond: 4_500,
          p50: 4.25,
          p99: 12,
          deliveries: { live: 989_999, fetched: 10_000, left: 1, cutOff: 2 },
        },
      },
    },
    'one room of 2,000': { ...run, failed: 'Error: timed out | at last' },
    'a million entries': {
      ...run,
      result: {
        entries: 500_000,
        rooms: 1_000,
        diskBytes: 110 * MiB,
        emptyDiskBytes: 10 * MiB,
        startMs: 800,
        bytes: 200 * MiB,
        databaseBytes: undefined,
        empty: { startMs: 500, bytes: 150 * MiB },
      },
    },
    'a storm: the tutorial': { ...run, failed: 'no result within 240 s' },
    'a storm: Holdfast': { ...run, result: { people: 5_000, cpuMs: 1.234, allInMs: 2_500 } },
    'behind: the tutorial': { ...run, result: { ...behind, without: 3, waitedMs: 60_000 } },
    'behind: Holdfast': { ...run, result: behind },
  },
};

test('the page has a table for each measurement of each store, and says what was not measured and why', () => {
  const page = reportOf({ sqlite: capacity, mongodb: { measured: {} } });
  const lines = page.split('\n');
  for (const line of [
    '| 1,000 | 1.50 s | 100 MiB | 1.2 % |',
    'Each connection beyond the first 1,000 takes 12.8 KiB of memory.',
    '| one room of 200 | 9,000 | 1,800,000 | 100 %, 0 %, 0 % | 2 | 4.3 ms | 12 ms | 99.0 %, 1.0 %, < 0.1 % | 1.00, 0.00, 0.70 |',
    '| one room of 2,000 | **not measured**: Error: timed out / at last | – | – | – | – | – | – | – |',
    '| 1,000 rooms of 10 | **not measured** | – | – | – | – | – | – | – |',
    '| 500,000 | 1,000 | 110 MiB | 200 MiB | 200 MiB | 100 MiB | in the server | 0.80 s | 0.50 s |',
    '| the tutorial’s server | **not measured**: no result within 240 s | – |',
    '| 5,000 people come, 50 at a time | all in after | CPU of the server for each |',
    '| Holdfast | 2.50 s | 1.23 ms |',
    '| the tutorial’s server | 3 had not after 60 s | 0.22 s | 50 |',
    '| one room of 200 | 2026-01-02 03:04 | 21 s | 0.25; 0.01 | 1.50; 0.02 |',
  ])
    expect(lines).toContain(line);
  expect(page.match(/^## /gm)).toHaveLength(4);
  expect(page).toContain('It is measured for 5 s, after 2.5 s of warm-up.');
});

test('of a MongoDB that was given by URL, memory and CPU are said to be not known', () => {
  const given = structuredClone(capacity);
  given.measured['one room of 200']!.result!.cores.database = undefined;
  const page = reportOf({ mongodb: JSON.parse(JSON.stringify(given)) }); // as it is read from the file
  expect(page).toContain('| 1.00, not known, 0.70 |');
  expect(page).toContain(
    '| 500,000 | 1,000 | 110 MiB | 200 MiB | 200 MiB | 100 MiB | not known | 0.80 s | 0.50 s |',
  );
});

test('machine, database and commit are said once where they are those of all parts, and else beside each part', () => {
  const mongodb = structuredClone(capacity);
  for (const part of Object.values(mongodb.measured)) part.on.database = 'M';
  const page = reportOf({ sqlite: capacity, mongodb });
  expect(page.match(/All of it was measured with: .*/g)).toEqual([
    'All of it was measured with: P, 2 cores, S; Node 24, socket.io 4; commit abc1234.',
  ]);
  expect(page.match(/^Measured with: .*/gm)).toEqual([
    'Measured with: database: D.',
    'Measured with: database: M.',
  ]);
  expect(page).toContain('| load average; busy cores before | and after |\n');

  mongodb.measured['one room of 200']!.on = {
    ...on,
    database: 'M',
    code: { commit: 'fff9999', isChanged: true },
  };
  const later = reportOf({ sqlite: capacity, mongodb });
  expect(later).toContain('All of it was measured with: P, 2 cores, S; Node 24, socket.io 4.\n');
  expect(later).toContain('Measured with: database: D; commit abc1234.\n');
  expect(later).toContain('Measured with: database: M.\n');
  expect(later).toContain(
    '| one room of 200 | 2026-01-02 03:04 | 21 s | 0.25; 0.01 | 1.50; 0.02 | commit fff9999 with changes |',
  );
  expect(later).toContain(
    '| a storm: Holdfast | 2026-01-02 03:04 | 21 s | 0.25; 0.01 | 1.50; 0.02 | commit abc1234 |',
  );
});

test('the advice is computed from the figures: half of what one process did, and MongoDB beside SQLite', () => {
  const half = structuredClone(capacity);
  half.measured['one room of 200']!.result!.mostPerSecond /= 2;
  half.measured['one room of 200']!.result!.deliveredPerSecond = 100_000;
  const page = reportOf({ sqlite: capacity, mongodb: half });
  expect(page).toContain('so many times the messages of SQLite: 0.50 (one room of 200).');
  expect(page).toContain('at some 50,000 to 50,000 deliveries a second');
  expect(page).toContain('It is not for speed: one process on MongoDB');
  expect(reportOf({})).not.toMatch(/NaN|undefined|Infinity/);
});

test('where the server was not the limit, the advice says so and what was, and draws no conclusion for the store', () => {
  const other = structuredClone(capacity);
  const found = other.measured['one room of 200']!.result!;
  const pageWith = (cores: typeof found.cores) => {
    found.cores = cores;
    return reportOf({ sqlite: capacity, mongodb: other });
  };
  const shared = pageWith({ servers: 0.55, database: 0.5, load: 0.45 });
  expect(shared).toContain(
    'one room of 200 (on MongoDB the server used 0.55 of its core, and the limit was the load and the database, which shared the other core).',
  );
  expect(shared).not.toMatch(/not for speed|so many times|at some [\d,]+ to/);
  expect(shared).toContain('the server was not the limit in any of them');
  const cores = { servers: 0.89, database: 0.1, load: 0.2 };
  expect(pageWith(cores)).toContain('the limit was no core: the time went by with waiting');
  expect(pageWith({ ...cores, load: 0.95 })).toContain('the limit was the load).');
  expect(pageWith({ ...cores, database: undefined })).toContain('or the database, whose CPU is not known');
  expect(pageWith({ ...cores, servers: 0.9 })).toContain('so many times the messages of SQLite');

  const rooms = structuredClone(capacity);
  rooms.measured['1,000 rooms of 10'] = { ...run, result: { ...found, mostPerSecond: 500, cores } };
  expect(reportOf({ sqlite: rooms })).toContain(
    'it acknowledges 500 messages a second or more (the server used 0.89',
  );
});
