/**
 * A part of the benchmark that is stable on any machine, to notice when something has become much slower: it fails at half of
 * the targets of issue 5. The whole benchmark is `npm run bench`.
 */
// @module-tag slow
import { expect, test } from 'vitest';
import { FIGURES, type Figure, ratioOf } from './figures.ts';
import { back, both, busy } from './round.ts';

test('half of the targets for CPU per message and per delivery, on SQLite', async () => {
  const lengths = { latency: { warmUpMs: 200, forMs: 200 }, saturation: { warmUpMs: 1_000, forMs: 2_000 } };
  const round = await both((contender) => busy(contender, 'sqlite', lengths));
  expectHalf(FIGURES.cpu, ratioOf(FIGURES.cpu, round));
  expectHalf(FIGURES.deliveries, ratioOf(FIGURES.deliveries, round));
}, 60_000);

test('half of the target for the bytes to resume', async () => {
  const round = await both((contender) => back(contender, 'sqlite'));
  expectHalf(FIGURES.resume, ratioOf(FIGURES.resume, round));
}, 60_000);

function expectHalf({ title, better, must }: Pick<Figure, 'title' | 'better' | 'must'>, ratio: number): void {
  if (better === 'more') expect(ratio, title).toBeGreaterThanOrEqual(must / 2);
  else expect(ratio, title).toBeLessThanOrEqual(must * 2);
}
