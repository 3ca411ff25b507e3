import { expect, test } from 'vitest';
import { firstRows, isTall } from '../../../web/view/folded.ts';

test.each([
  ['a line', 'Two seals', false],
  ['79 newlines', '\n'.repeat(79), false],
  ['81 newlines', `a${'\n'.repeat(81)}b`, true],
  ['4,000 newlines', `a${'\n'.repeat(3_998)}b`, true],
  ['3,000 letters', 'seal '.repeat(600), false],
  ['4,000 letters', 'seal '.repeat(800), true],
  ['1,500 Chinese letters', '海'.repeat(1_500), false],
  ['2,000 Chinese letters', '海'.repeat(2_000), true],
])('%s: folded is %s', (_, text, folded) => {
  expect(isTall(text)).toBe(folded);
});

test('a folded message begins with its first 24 rows', () => {
  expect(firstRows(`a${'\n'.repeat(3_998)}b`)).toBe(`a${'\n'.repeat(23)}`);
  expect(firstRows('seal '.repeat(800))).toBe('seal '.repeat(800).slice(0, 24 * 40 + 23));
  expect(firstRows('🦔'.repeat(2_000)).isWellFormed()).toBe(true);
});
