import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BODY_MAX_CODE_POINTS, MARKS_IN_A_ROW_MAX, NAME_MAX_CODE_POINTS } from '../../shared/limits.ts';
import {
  checkBody,
  checkDescription,
  checkName,
  checkNewName,
  codePoints,
  nameKey,
  shownName,
  withoutControls,
} from '../../shared/text.ts';

const SHOW_NOTHING: [string, string][] = [
  ['an empty Braille cell', '\u2800\n\u2800'],
  ['a Hangul filler', '\u3164'],
  ['a half-width Hangul filler', '\uffa0 \u115f\u1160'],
  ['zero width characters', '\u200b\u200c\u200d\u2060\ufeff'],
  ['a soft hyphen', '\u00ad'],
  ['controls of the writing direction', '\u202e\u200f\u2066'],
  ['variation selectors', '\ufe0f\u{e0100}'],
  ['tags', '\u{e0001}\u{e0041}\u{e007f}'],
  ['annotation marks', '\ufff9\ufffa\ufffb'],
  ['the place of an object', '\ufffc'],
  ['blanks between hieroglyphs', '\u{13441}\u{13442}'],
  ['controls of hieroglyphs', '\u{13430}\u{13436}\u{1343c}\u{1343f}'],
  ['a Khitan filler', '\u{16fe4}'],
  ['controls of shorthand and of music', '\u{1bca0}\u{1d173}'],
  ['an empty note head', '\u{1d159}'],
  ['combining marks on nothing', '\u0301\u20e3'],
  ['a combining mark on a space', ' \u0301'],
];

const SHOW_SOMETHING = [
  '👩‍👩‍👧‍👦',
  '🇨🇭',
  '🇨',
  '1️⃣',
  '#⃣',
  '🏴󠁧󠁢󠁥󠁮󠁧󠁿',
  '❤️',
  '👍🏽',
  '🏽',
  '©',
  '.',
  '⠁⠀⠃',
  '\u0600', // the Arabic number sign is a format character, and shows
  '\ue000', // a private use character is what its font makes of it
  '\ufffd',
  'ㅤx',
  '\u{13000}\u{13430}\u{13001}',
];

/** Signs whose use is to move others or to stand for what shows: they show (Unicode, Prepended_Concatenation_Mark). */
const PREPENDED = /[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u{110bd}\u{110cd}]/u;

test('format characters, white space and default-ignorable code points show nothing, each of them', () => {
  const codes = [0, 0xe0000].flatMap((first) => Array.from({ length: 0x20000 }, (_, i) => first + i)); // none is elsewhere
  const hidden = codes
    .map((code) => String.fromCodePoint(code))
    .filter((sign) => /[\p{Cf}\p{White_Space}\p{Default_Ignorable_Code_Point}]/u.test(sign))
    .filter((sign) => !PREPENDED.test(sign));
  expect(hidden.length).toBeGreaterThan(4_000);
  const shown = hidden.filter((sign) => checkBody(sign).ok || checkNewName(sign).ok);
  expect(shown.map((sign) => sign.codePointAt(0)!.toString(16))).toEqual([]);
});

describe('checkBody', () => {
  test.each([
    ['removes what is blank at the end', 'hello \n ', 'hello'],
    ['removes blank lines at the beginning', ' \n\u3000\n\nhello', 'hello'],
    ['keeps the indentation of the first line', '\n  if (x)\n    y', '  if (x)\n    y'],
    ['keeps the indentation of a Chinese paragraph', '\u3000\u3000我们\n', '\u3000\u3000我们'],
    ['replaces CRLF by LF', 'one\r\ntwo', 'one\ntwo'],
    ['keeps newline and tab', 'one\n\ttwo', 'one\n\ttwo'],
    ['replaces a lone surrogate', 'a\ud800b', 'a\ufffdb'],
    ['keeps a pair of surrogates', '🦔', '🦔'],
    ['keeps an emoji of several code points', '👩‍👩‍👧‍👦', '👩‍👩‍👧‍👦'],
    ['does not compose (no NFC)', 'e\u0301', 'e\u0301'],
  ])('%s', (_, raw, text) => {
    expect(checkBody(raw)).toEqual({ ok: true, text });
  });

  test.each([
    ['nothing', ''],
    ['only space', ' \r\n\t '],
    ['NUL', 'a\0b'],
    ['a carriage return alone', 'a\rb'],
    ['an escape', 'a\u001b[31mb'],
    ['a C1 control', 'a\u0085b'],
    ...SHOW_NOTHING,
  ])('refuses %s as invalid', (_, raw) => {
    expect(checkBody(raw)).toMatchObject({ ok: false, code: 'invalid' });
  });

  test.each(SHOW_SOMETHING)('keeps %j', (text) => {
    expect(checkBody(text)).toEqual({ ok: true, text });
  });

  test('counts code points, after trimming', () => {
    const most = '🦔'.repeat(BODY_MAX_CODE_POINTS);
    expect(checkBody(` \n${most}  `)).toEqual({ ok: true, text: most });
    expect(checkBody(`${most}!`)).toMatchObject({ ok: false, code: 'too-large' });
  });

  test('is idempotent', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (raw) => {
        const once = checkBody(raw);
        if (once.ok) expect(checkBody(once.text)).toEqual(once);
      }),
    );
  });
});

describe('checkName', () => {
  test.each([
    ['trims', '  Ada ', 'Ada'],
    ['composes (NFC)', 'Zoe\u0308', 'Zoë'],
    ['keeps compatibility forms (no NFKC)', 'Ａda', 'Ａda'],
    ['keeps a space inside', 'Ada  L.', 'Ada  L.'],
  ])('%s', (_, raw, text) => {
    expect(checkName(raw)).toEqual({ ok: true, text });
  });

  test.each([
    ['nothing', '   '],
    ['only invisible characters', '\u200b\u2060\u00ad'],
    ['a newline', 'a\nb'],
    ['a tab', 'a\tb'],
  ])('refuses %s as invalid', (_, raw) => {
    expect(checkName(raw)).toMatchObject({ ok: false, code: 'invalid' });
  });

  test('accepts at most 40 code points', () => {
    expect(checkName('名'.repeat(NAME_MAX_CODE_POINTS)).ok).toBe(true);
    expect(checkName('名'.repeat(NAME_MAX_CODE_POINTS + 1))).toMatchObject({ ok: false, code: 'too-large' });
  });
});

describe('checkDescription', () => {
  test.each([
    ['300 combining marks', `a${'\u0344'.repeat(299)}`],
    ['marks of two kinds in turn', `a${'\u0301\u0323'.repeat(149)}`],
    ['marks with invisible characters between them', `A${'\u0335\u200d'.repeat(15)}da`],
    ['a pile in a later line', `Shift plans\nA${'\u0335'.repeat(35)}da`],
  ])('refuses %s as invalid', (_, raw) => {
    expect(checkDescription(raw)).toMatchObject({ ok: false, code: 'invalid' });
  });

  test.each(['Shift plans and questions.\n第五病房 👩‍👩‍👧‍👦', 'ကျွန်ုပ်တို့', '🏴󠁧󠁢󠁥󠁮󠁧󠁿 England', 'Zoë’s cafe\u0301'])(
    'takes %s',
    (text) => {
      expect(checkDescription(text)).toEqual({ ok: true, text });
    },
  );

  test('of which nothing shows is none', () => {
    expect(checkDescription('\u200b'.repeat(20))).toEqual({ ok: true, text: '' });
  });
});

describe('checkNewName', () => {
  test.each([
    ...SHOW_NOTHING,
    ['an override of the direction', 'Ada \u202egnp.exe'],
    ['an embedding', '\u202bAda\u202c'],
    ['an isolate', '\u2067Ada\u2069'],
    ['a mark of the direction', 'Ada\u200f'],
    ['a blank glyph at the end', 'Ada\u2800'],
    ['a filler inside', 'A\u3164da'],
    ['a line separator', 'A\u2028da'],
    ['a mark that would stand on what is before it', '\u0336Ada'],
    ['35 combining marks', `A${'\u0335'.repeat(35)}da`],
    ['marks with invisible characters between them', `A${'\u0335\u200d'.repeat(15)}da`],
    ['many invisible characters', `A${'\u200b'.repeat(20)}da`],
  ])('refuses %s as invalid', (_, raw) => {
    expect(checkNewName(raw)).toMatchObject({ ok: false, code: 'invalid' });
  });

  test.each([
    'Ada L.',
    'علی‌رضا',
    'Nguyễn Thị Phượng',
    'ကျွန်ုပ်',
    'བསྒྲུབས',
    'שִׁירָה',
    'ณัฐวุฒิ',
    'क्षत्रिय',
    '👩‍👩‍👧‍👦',
    '🏴󠁧󠁢󠁥󠁮󠁧󠁿',
    '1️⃣',
    '林小姐',
    `a${'\u0301'.repeat(MARKS_IN_A_ROW_MAX)}`.normalize('NFD'),
  ])('accepts %s', (name) => {
    expect(checkNewName(name)).toEqual({ ok: true, text: name.normalize('NFC') });
  });

  test('checks all that checkName checks', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (raw) => {
        const [known, fresh] = [checkName(raw), checkNewName(raw)];
        expect(
          known.ok ? [known, { ok: false, code: 'invalid', message: expect.any(String) }] : [known],
        ).toContainEqual(fresh);
      }),
    );
  });
});

test.each([
  ['Ada L.', 'Ada L.'],
  ['علی‌رضا', 'علی‌رضا'],
  ['Ada \u202egnp.exe', 'Ada gnp.exe'],
  ['\u2800', '?'],
  ['\u202e\u3164', '?'],
])('the old name %j shows as %j', (name, shown) => {
  expect(shownName(name)).toBe(shown);
});

describe('nameKey', () => {
  test.each([
    ['case', 'ADA', 'ada'],
    ['composition', 'Zoe\u0308', 'Zoë'],
    ['width', 'Ａｄａ', 'Ada'],
    ['ligatures', 'ﬁnn', 'Finn'],
    ['ß', 'Weiß', 'WEISS'],
    ['capital ß', 'WEIẞ', 'weiss'],
    ['final sigma', 'Νίκος', 'ΝΊΚΟΣ'],
    ['invisible characters', 'A\u200dda', 'Ada'],
    ['the long s', 'ſam', 'Sam'],
  ])('names that differ by %s are equal', (_, a, b) => {
    expect(nameKey(a)).toBe(nameKey(b));
  });

  test.each([
    ['accents', 'Zoe', 'Zoë'],
    ['scripts that look alike', 'Ada', 'Аda'],
    ['a space', 'Ada L', 'AdaL'],
  ])('names that differ by %s are different', (_, a, b) => {
    expect(nameKey(a)).not.toBe(nameKey(b));
  });

  test('ignores case and composition', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (name) => {
        expect(nameKey(name.normalize('NFD'))).toBe(nameKey(name.normalize('NFC')));
        expect(nameKey(name.toUpperCase())).toBe(nameKey(name));
      }),
    );
  });
});

test('checkBody accepts any paste after withoutControls', () => {
  expect(withoutControls('a\r\nb\rc\0d\te\u001b')).toBe('a\nb\ncd\te');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (raw) => {
      expect(checkBody(`x${withoutControls(raw)}`).ok).toBe(true);
    }),
  );
});

test('codePoints counts an emoji by its code points', () => {
  expect([codePoints('abc'), codePoints('🦔'), codePoints('👩‍👧'), codePoints('')]).toEqual([3, 1, 3, 0]);
});
