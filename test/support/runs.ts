/**
 * How many random runs (seeds, histories, generated inputs) each test makes. TEST_LENGTH chooses: `quick` in
 * `npm run test:quick`, `soak` in `npm run soak`, else `full`. `TEST_RUNS=5000 vitest run FILE` overrides the number.
 */
export type TestLength = 'quick' | 'full' | 'soak';

interface Runs {
  file: string;
  quick: number;
  full: number;
  soak: number;
}

export const RUNS = {
  'whole clients': { file: 'web/simulation/simulation', quick: 60, full: 200, soak: 20_000 },
  'writers on a replica set': {
    file: 'server/store/mongo/append/simulated',
    quick: 500,
    full: 1_500,
    soak: 100_000,
  },
  'histories on MongoDB': { file: 'server/store/mongo/histories', quick: 3, full: 12, soak: 600 },
  'histories of one store': { file: 'server/store/sqlite/contract', quick: 10, full: 50, soak: 3_000 },
  'histories of three stores': { file: 'contract/memory/contract', quick: 50, full: 200, soak: 10_000 },
  'batches on both stores': {
    file: 'server/store/mongo/append/sameAsSqlite',
    quick: 50,
    full: 300,
    soak: 10_000,
  },
  'what a tail loses': { file: 'server/feed/roomFeed', quick: 200, full: 200, soak: 10_000 },
  'lanes of batches': { file: 'server/ingest/lanes', quick: 200, full: 200, soak: 10_000 },
  'spans that are covered': { file: 'web/records/spans', quick: 500, full: 500, soak: 50_000 },
  'entries that are held': { file: 'web/log/store/storeEntries', quick: 20, full: 60, soak: 2_000 },
  'frames of a sync': { file: 'web/log/fetch/randomCatchUps', quick: 5, full: 25, soak: 1_000 },
  'entries without a line': { file: 'web/log/read/lineFreeRanges', quick: 2, full: 10, soak: 300 },
  'pages over gaps': { file: 'web/log/read/window', quick: 6, full: 30, soak: 500 },
  'ways through a window': { file: 'web/log/read/window', quick: 4, full: 16, soak: 500 },
  'entries that are evicted': { file: 'web/db/evict', quick: 5, full: 25, soak: 500 },
  'one outbox': { file: 'web/outbox/outboxReducer', quick: 200, full: 800, soak: 50_000 },
  'tabs that hold the lock': { file: 'web/outbox/lockHolders', quick: 500, full: 2_000, soak: 50_000 },
  'moves of a connection': { file: 'web/transport/connection', quick: 400, full: 400, soak: 50_000 },
  'clients on an unkind network': { file: 'web/state/random', quick: 2, full: 12, soak: 500 },
  'edits with lost answers': { file: 'web/state/edits', quick: 5, full: 25, soak: 1_000 },
  'people who come and go': { file: 'server/churn/churn', quick: 2, full: 3, soak: 200 },
} as const satisfies Record<string, Runs>;

export function testLength(): TestLength {
  const asked = process.env.TEST_LENGTH ?? 'full';
  if (asked === 'quick' || asked === 'full' || asked === 'soak') return asked;
  throw new Error(`TEST_LENGTH is ${asked}: it may be quick, full or soak`);
}

export function runsOf(name: keyof typeof RUNS): number {
  const asked = process.env.TEST_RUNS;
  if (asked === undefined) return RUNS[name][testLength()];
  if (/^[1-9]\d*$/.test(asked)) return Number(asked);
  throw new Error(`TEST_RUNS is ${asked}: it may be a whole number from 1`);
}

/** The seeds of these runs: 1, 2, 3 … */
export function seedsOf(name: keyof typeof RUNS): number[] {
  return Array.from({ length: runsOf(name) }, (_, i) => i + 1);
}

/** Every test file with random runs, from the root of the project. */
export function filesWithRuns(): string[] {
  return Object.values(RUNS).map(({ file }) => `test/${file}.test.ts`);
}
