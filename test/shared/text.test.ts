import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BODY_MAX_CODE_POINTS, NAME_MAX_CODE_POINTS } from '../../shared/limits.ts';
import { checkBody, checkName, codePoints, nameKey, withoutControls } from '../../shared/text.ts';

describe('checkBody', () => {
  test.each([
    ['trims', '  hello\n ', 'hello'],
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
  ])('refuses %s as invalid', (_, raw) => {
    expect(checkBody(raw)).toMatchObject({ ok: false, code: 'invalid' });
  });

  test('counts code points, after trimming', () => {
    const most = '🦔'.repeat(BODY_MAX_CODE_POINTS);
    expect(checkBody(`  ${most}  `)).toEqual({ ok: true, text: most });
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
