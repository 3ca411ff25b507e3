/**
 * Runs whole clients under random faults, for many seeds, in separate processes (seeds.ts). To run more seeds by hand:
 * `node test/web/simulation/seeds.ts --seeds 1-20000 --all`.
 */
import { describe, expect, test } from 'vitest';
import { runsOf } from '../../support/runs.ts';
import { run } from '../../support/tools.ts';

const SEEDS = runsOf('whole clients'); // about 300 ms of CPU each
const CHUNK = 500;
const chunks = Array.from({ length: Math.ceil(SEEDS / CHUNK) }, (_, i) => [
  i * CHUNK + 1,
  Math.min(SEEDS, (i + 1) * CHUNK),
]);

describe('O1 O2 O3 O4 O5 L3 L5 S1 S2 S3 S4 S5 after every step of a whole client', () => {
  test.concurrent.each(chunks)('seeds %i to %i', { timeout: 400_000 }, async (first, last) => {
    const { code, output } = await simulate('--seeds', `${first}-${last}`);
    expect(code, output).toBe(0);
    expect(output).toContain(`${last! - first! + 1} seeds, 0 failed`);
  });

  test('the same seed is the same run, step by step', { timeout: 240_000 }, async () => {
    const runs = await Promise.all(
      [1, 2].map(() => simulate('--seeds', '3-6', '--journal').then(({ output }) => journalOf(output))),
    );
    expect(runs[0]!.length).toBeGreaterThan(100);
    expect(runs[1]).toEqual(runs[0]);
  });
});

function simulate(...args: string[]) {
  return run(process.execPath, ['--no-warnings', 'test/web/simulation/seeds.ts', ...args]);
}

/** Without the duration in the last line. */
function journalOf(output: string): string[] {
  return output.trimEnd().split('\n').slice(0, -1);
}
