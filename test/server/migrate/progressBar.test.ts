/** What a person sees while a database moves. */
import { expect, test } from 'vitest';
import type { MoveProgress } from '../../../server/migrate/moveDatabase.ts';
import { createProgressBar } from '../../../server/migrate/progressBar.ts';

/** `progress`: what is shown, each `everyMs` later than the one before. */
function shown(isTTY: boolean, everyMs: number, ...progress: MoveProgress[]): string {
  let text = '';
  let time = 0;
  const bar = createProgressBar({ isTTY, write: (more) => (text += more) }, () => time);
  for (const one of progress) {
    bar.show(one);
    time += everyMs;
  }
  bar.end();
  return text;
}

const copying = (done: number): MoveProgress => ({ tag: 'copying', done, of: 1_000_000 });

test('a terminal has one bar, with the speed and the time that is left', () => {
  const text = shown(true, 10_000, copying(0), copying(250_000), copying(1_000_000), { tag: 'rows' });
  const [, first, quarter, whole, rows] = text.split('\r');
  expect(first?.trim()).toBe(`[${'.'.repeat(30)}] 0 %: 0 of 1,000,000 entries copied`);
  expect(quarter?.trim()).toBe(
    `[${'#'.repeat(7)}${'.'.repeat(23)}] 25 %: 250,000 of 1,000,000 entries copied, 25,000 a second, 30 s left`,
  );
  expect(whole?.trim()).toBe(`[${'#'.repeat(30)}] 100 %: 1,000,000 of 1,000,000 entries copied`);
  expect(rows).toMatch(/^Copying users, rooms and settings\. +\n$/); // nothing stays of the longer line
});

test('a move that goes on does not count what was copied before', () => {
  const text = shown(true, 1_000, copying(900_000), copying(901_000));
  expect(text).toContain('90 %: 901,000 of 1,000,000 entries copied, 1,000 a second, 1 min 39 s left');
});

test('without a terminal there is a line now and then, and always the last one of a part', () => {
  const text = shown(false, 1_000, ...[0, 1, 2, 3, 4, 5, 6, 1_000_000].map(copying), { tag: 'last-part' });
  const lines = text.trimEnd().split('\n');
  expect(lines).toHaveLength(4);
  expect(lines[1]).toContain(': 5 of 1,000,000 entries copied');
  expect(lines.at(-1)).toBe('Copying the last part; the server takes nothing meanwhile.');
});
