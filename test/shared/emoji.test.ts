import { expect, test } from 'vitest';
import { canonicalEmoji, isEmoji } from '../../shared/emoji.ts';

const FE0F = '\u{FE0F}';

test.each([
  ['👍', `👍${FE0F}`],
  ['👍🏽', `👍🏽${FE0F}`],
  [`❤${FE0F}`, '❤'],
  [`❤${FE0F}\u{200D}🔥`, '❤\u{200D}🔥'],
  [`🕵${FE0F}\u{200D}♂${FE0F}`, '🕵\u{200D}♂'],
  [`🕵🏽\u{200D}♂${FE0F}`, '🕵🏽\u{200D}♂'],
  [`1${FE0F}\u{20E3}`, '1\u{20E3}'],
  [`🏳${FE0F}\u{200D}🌈`, '🏳\u{200D}🌈'],
  ['🇩🇪', `🇩🇪${FE0F}`],
  [
    '🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}',
    `🏴${FE0F}\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}`,
  ],
  ['👩🏻\u{200D}🤝\u{200D}👩🏿', `👩🏻\u{200D}🤝${FE0F}\u{200D}👩🏿`],
  ['☝🏽', `☝${FE0F}🏽`],
])('%s is one emoji with and without U+FE0F', (canonical, other) => {
  expect([canonicalEmoji(canonical), canonicalEmoji(other)]).toEqual([canonical, canonical]);
  expect(isEmoji(canonical)).toBe(true);
});

test('two skin tones are two emoji', () => {
  expect(canonicalEmoji('👍🏽')).not.toBe(canonicalEmoji('👍🏿'));
});

test.each([
  '',
  ' ',
  'a',
  '1',
  '#',
  'ok',
  '👍👍',
  '👍 ',
  '👍a',
  '🇩',
  FE0F,
  '\u{200D}',
  '👍\u{200D}',
  '👍\u{301}',
])('“%s” is no emoji', (text) => expect(isEmoji(canonicalEmoji(text))).toBe(false));

test('every emoji of one code point stays one in its canonical form', () => {
  const all = Array.from({ length: 0x1fb00 }, (_, code) => code)
    .filter((code) => code < 0xd800 || code > 0xdfff)
    .map((code) => String.fromCodePoint(code));
  const emoji = all.filter((one) => /^\p{Emoji}$/u.test(one) && !/[0-9#*\p{RI}]/u.test(one));
  expect(emoji.length).toBeGreaterThan(1_300);
  expect(emoji.filter((one) => !isEmoji(canonicalEmoji(one)))).toEqual([]);
});
