/**
 * Reads do not delay appends. A busy machine makes single turns slow, with and without reads; a real delay would show in every
 * turn, so the best turn counts. `node test/bench/beside/main.ts` prints all turns.
 */
import { expect, test } from 'vitest';
import { spreadOf } from '../statistics.ts';
import { COMPANY, measureBeside } from './measure.ts';

test('at half load, the p99 of appends with concurrent ranges, a backup and a scan is at most twice that without', {
  timeout: 120_000,
  tags: ['slow'],
}, async () => {
  const { by } = await measureBeside(COMPANY, { entries: 30_000, turns: 5, turnMs: 600 });
  for (const [company, turns] of by) {
    expect(
      turns.some(({ reads }) => reads > 0),
      company,
    ).toBe(true);
    const ratios = turns.map(({ alone, beside }) => beside.p99 / alone.p99);
    expect(spreadOf(ratios).least, `${company}: ${ratios.join(', ')}`).toBeLessThanOrEqual(2);
  }
});
