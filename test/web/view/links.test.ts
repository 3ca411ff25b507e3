import fc from 'fast-check';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type Part, partsOf } from '../../../web/view/menu/links.ts';

/** Each text with its links, as a reader sees them. linkify-it 6.1 finds 39 of these 59, linkifyjs 4.4 finds 27. */
const CORPUS: [string, string[]][] = [
  ['see https://example.org/a?b=1#c now', ['https://example.org/a?b=1#c']],
  ['(https://example.org/x).', ['https://example.org/x']],
  ['https://en.wikipedia.org/wiki/Seal_(animal), yes', ['https://en.wikipedia.org/wiki/Seal_(animal)']],
  ['风有点大，https://example.org/海，对', ['https://example.org/海']],
  ['mailto:ada@example.org!', ['mailto:ada@example.org']],
  ['HTTP://EXAMPLE.org', ['HTTP://EXAMPLE.org']],
  ['two: http://a.example http://b.example', ['http://a.example', 'http://b.example']],
  ['javascript:alert(1) data:text/html,x ftp://a.example file:///etc', []],
  ['xhttps://a.example https:// http://? mailto:nobody', []],
  ['javascript://https://a.example', ['https://a.example']],
  ['<a href="https://a.example">', ['https://a.example']],
  ['请看https://example.org/a', ['https://example.org/a']],
  ['【https://example.org/a】是', ['https://example.org/a']],
  [
    '《https://example.org/a》〈https://example.org/b〉〔https://example.org/c〕',
    ['https://example.org/a', 'https://example.org/b', 'https://example.org/c'],
  ],
  ['［https://example.org/a］｛https://example.org/b｝', ['https://example.org/a', 'https://example.org/b']],
  ['「https://example.org/a」と', ['https://example.org/a']],
  [
    '«https://example.org/a» „https://example.org/b“ ‚https://example.org/c‘',
    ['https://example.org/a', 'https://example.org/b', 'https://example.org/c'],
  ],
  ['https://example.org/a\u200b', ['https://example.org/a']],
  ['https://example.org/a\u200bb', ['https://example.org/a']],
  ['https://example.org/a\u202e/gpj', ['https://example.org/a']],
  ['\u2067https://example.org/a\u2069', ['https://example.org/a']],
  ['https://example.org/a\u200e.', ['https://example.org/a']],
  ['https://example.org/a\u2800b', ['https://example.org/a']],
  ['https://example.org/a\ufeff', ['https://example.org/a']],
  ['https://example.org/a\u3164', ['https://example.org/a']],
  ['https://example.org/a\u3000b', ['https://example.org/a']],
  ['看https://example.org/a是什么', ['https://example.org/a']],
  ['https://example.org/aを見て', ['https://example.org/a']],
  ['https://example.org/a에서 봐요', ['https://example.org/a']],
  ['ดูhttps://example.org/aนะ', ['https://example.org/a']],
  ['https://example.org是', ['https://example.org']],
  ['https://example.org/?q=海&x=1', ['https://example.org/?q=海&x=1']],
  ['https://食べる.jp/あ', ['https://食べる.jp/あ']],
  ['https://пример.рф/путь', ['https://пример.рф/путь']],
  ['см.https://example.org/путь.', ['https://example.org/путь']],
  ['https://bücher.example/é', ['https://bücher.example/é']],
  ['https://example.org/a، https://example.org/b؟', ['https://example.org/a', 'https://example.org/b']],
  ['देखो https://example.org/a।', ['https://example.org/a']],
  ['https://example.org/a。https://example.org/b', ['https://example.org/a', 'https://example.org/b']],
  ['https://example.org/a👍', ['https://example.org/a']],
  ['https://example.org/❤️', ['https://example.org/❤️']],
  ['https://fa.wikipedia.org/wiki/می\u200cخواهم', ['https://fa.wikipedia.org/wiki/می\u200cخواهم']],
  [
    'https://en.wikipedia.org/wiki/Michelson–Morley_experiment',
    ['https://en.wikipedia.org/wiki/Michelson–Morley_experiment'],
  ],
  ['https://ja.wikipedia.org/wiki/ジョン・スミス', ['https://ja.wikipedia.org/wiki/ジョン・スミス']],
  ['[1](https://a.example/x)[2](https://b.example)', ['https://a.example/x', 'https://b.example']],
  ['(see https://example.org/a),(or b)', ['https://example.org/a']],
  ['https://example.org/a?x[]=1&y={z}', ['https://example.org/a?x[]=1&y={z}']],
  [
    'https://web.archive.org/web/2020/https://example.org/',
    ['https://web.archive.org/web/2020/https://example.org/'],
  ],
  [
    '*https://example.org/a* ~https://example.org/b~ `https://example.org/c`',
    ['https://example.org/a', 'https://example.org/b', 'https://example.org/c'],
  ],
  ['"https://example.org/a", ‘https://example.org/b’', ['https://example.org/a', 'https://example.org/b']],
  ['https://example.org/a...', ['https://example.org/a']],
  ['https://example.org/a…', ['https://example.org/a']],
  ['https://example.org:8443/~ada/x;y=1,2', ['https://example.org:8443/~ada/x;y=1,2']],
  [
    'http://localhost:3000/a http://[::1]/ http://192.0.2.1',
    ['http://localhost:3000/a', 'http://[::1]/', 'http://192.0.2.1'],
  ],
  ['https://example.org/a\nhttps://example.org/b', ['https://example.org/a', 'https://example.org/b']],
  ['https://example.org/%E6%B5%B7?a=%20', ['https://example.org/%E6%B5%B7?a=%20']],
  ['https://example.org/#/room/x_y-', ['https://example.org/#/room/x_y-']],
  ['写信mailto:ada@example.org。', ['mailto:ada@example.org']],
  ['https://example.org/🦔\u200d', ['https://example.org/🦔']],
];

/** Symbols, dashes and letters of other scripts after a link, and where they are part of it. */
const FOLLOWED: [string, string[]][] = [
  ['https://example.org/a～谢谢', ['https://example.org/a']],
  ['https://example.org/a——谢谢', ['https://example.org/a']],
  ['https://example.org/a–谢谢', ['https://example.org/a']],
  ['https://example.org/a｜下一个', ['https://example.org/a']],
  ['＜https://example.org/a＞是', ['https://example.org/a']],
  ['https://example.org/a→谢谢', ['https://example.org/a']],
  ['https://example.org/a★很好', ['https://example.org/a']],
  ['https://example.org/a・次', ['https://example.org/a']],
  ['https://example.org/a·谢谢', ['https://example.org/a']],
  ['https://example.org/a＿谢', ['https://example.org/a']],
  ['https://example.org/a①第一', ['https://example.org/a']],
  ['https://example.org/aＯＫ', ['https://example.org/a']],
  ['请看https://example.org/a谢谢', ['https://example.org/a']],
  ['https://example.org/海～谢谢', ['https://example.org/海']],
  ['https://example.org/海★', ['https://example.org/海']],
  ['https://ja.wikipedia.org/wiki/日本語 を', ['https://ja.wikipedia.org/wiki/日本語']],
  ['https://ja.wikipedia.org/wiki/スーパーマリオ', ['https://ja.wikipedia.org/wiki/スーパーマリオ']],
  // as in a谢谢: the escaped form, which browsers copy, is one link
  ['https://zh.wikipedia.org/wiki/C语言', ['https://zh.wikipedia.org/wiki/C']],
  [
    'https://zh.wikipedia.org/wiki/C%E8%AF%AD%E8%A8%80很好',
    ['https://zh.wikipedia.org/wiki/C%E8%AF%AD%E8%A8%80'],
  ],
  ['https://ca.wikipedia.org/wiki/Col·lecció', ['https://ca.wikipedia.org/wiki/Col·lecció']],
  ['https://a.example/x→https://b.example/y', ['https://a.example/x', 'https://b.example/y']],
  ['https://a.example/x —https://b.example', ['https://a.example/x', 'https://b.example']],
  ['①https://a.example/x②https://b.example', ['https://a.example/x', 'https://b.example']],
  ['https://example.org—see', ['https://example.org']], // no host has it
  ['https://col·lecció.example/', ['https://col·lecció.example/']],
  ['https://example.org/a— and', ['https://example.org/a']],
  ['https://example.org/a–_', ['https://example.org/a']],
  ['https://example.org/a★', ['https://example.org/a']],
  ['https://example.org/C♯很好', ['https://example.org/C']],
  ['https://example.org/25°👍', ['https://example.org/25']],
  ['https://example.org/50€。', ['https://example.org/50€']],
];

/** Each is a link as a whole, also where a sentence goes on. */
const WHOLE = [
  'https://he.wikipedia.org/wiki/תל־אביב',
  'https://de.wikipedia.org/wiki/Hart_–_Film',
  'https://pl.wikipedia.org/wiki/Mecz_Polska_–_Anglia',
  'https://ru.wikipedia.org/wiki/Москва_—_Кассиопея',
  'https://en.wikipedia.org/wiki/Beyoncé—Live',
  'https://en.wikipedia.org/wiki/Rock_’n’_Roll',
  'https://en.wikipedia.org/wiki/C♯',
  'https://en.wikipedia.org/wiki/C♯_(musical_note)#C♯-dur',
  'https://en.wikipedia.org/wiki/I_♥_Huckabees',
  'https://ru.wikipedia.org/wiki/№_17',
  'https://es.wikipedia.org/wiki/¿Qué_pasa',
  'https://example.org/25°C',
  'https://example.org/2×4',
  'https://example.org/50€',
  'https://example.org/50€?from=1',
  'https://example.org/?q=a→b&r=–5',
  'https://example.org/#§5',
  'https://example.org/a——b',
];

test.each(WHOLE)(
  '%s is a link as a whole: dashes, symbols and punctuation between letters, digits and ASCII signs are part of it',
  (link) => {
    for (const text of [link, `see ${link}, then`, `看${link}。`, `(${link})`, `«${link}»`])
      expect(linksIn(text).map((part) => part.text)).toEqual([link]);
  },
);

const linksIn = (text: string) => partsOf(text).filter((part) => part.tag === 'link');

test.each([...CORPUS, ...FOLLOWED])('the links in %j are %j', (text, links) => {
  expect(linksIn(text).map((part) => part.text)).toEqual(links);
});

test.each([
  ['https://bank.example@evil.example/a', 'evil.example'],
  ['https://bank.example:x@evil.example', 'evil.example'],
  ['https://bank.example\\.evil.example/', 'bank.example'],
  ['https:///evil.example', 'evil.example'],
  ['https://\u0430pple.example', 'xn--pple-43d.example'], // a Cyrillic letter
  ['https://пример.рф/путь', 'xn--e1afmkfd.xn--p1ai'],
  ['https://ex%61mple.org', 'example.org'],
  ['http://0x7f.1/', '127.0.0.1'],
  ['https://EXAMPLE.org:443/a', undefined],
  ['http://[::1]:80/', undefined],
  ['https://example.org/@evil.example', undefined],
  ['https://example.org?@evil.example', undefined],
  ['mailto:ada@example.org', undefined],
])('%s leads to %s: shown beside the link unless it says so itself', (text, host) => {
  const links = linksIn(text);
  expect(links).toHaveLength(1);
  expect(links[0]!.tag === 'link' && links[0]!.host).toBe(host);
});

const pieces = fc.constantFrom(
  'http://',
  'https://',
  'mailto:',
  'javascript:',
  'a.example',
  '@',
  '(',
  ')',
  '.',
  ' ',
  '\n',
  '<',
  '"',
  ':',
  '林',
  '[',
  ']',
  '】',
  '\u200b',
  '\u202e',
  '\u2800',
  '👩‍🚒',
  '～',
  '——',
  '–',
  '・',
  '★',
);

test('a link compiles the expressions of the signs that follow it, and no others: each takes a slow phone up to 50 ms', async () => {
  const made: string[] = [];
  class Noted extends RegExp {
    constructor(source: string, flags?: string) {
      super(source, flags);
      made.push(source);
    }
  }
  vi.stubGlobal('RegExp', Noted);
  onTestFinished(() => void vi.unstubAllGlobals()); // also where it fails
  vi.resetModules();
  const links = await import('../../../web/view/menu/links.ts');
  /** Since the last call; the first time with those that are made when the module is loaded. */
  const madeFor = (text: string) => {
    expect(links.partsOf(text).map(({ tag }) => tag)).toContain('link');
    return made.splice(0).join('');
  };
  expect(madeFor('see https://example.org/a?b=1#c, or mailto:ada@example.org.')).not.toContain('\\p{');
  expect(madeFor('看https://example.org/a，谢谢').length).toBeLessThan(1_000);
  expect(madeFor('https://de.wikipedia.org/wiki/Hart_–_Film').length).toBeGreaterThan(1_000);
});

test('a link ends before each symbol and each punctuation mark beside a script without spaces, and before what follows it', () => {
  const signs = Array.from({ length: 0x20000 - 0x80 }, (_, i) => String.fromCodePoint(0x80 + i)) // none is above
    .filter((sign) => /[\p{S}\p{P}\p{Z}]/u.test(sign));
  expect(signs.length).toBeGreaterThan(8_000);
  const linkBefore = (sign: string) => linksIn(`看https://example.org/a${sign}谢谢`).map(({ text }) => text);
  expect(signs.filter((sign) => linkBefore(sign).join() !== 'https://example.org/a')).toEqual([]);
  const within = (sign: string) => linksIn(`https://example.org/海${sign}`)[0]!.text.includes(sign);
  expect(signs.filter((sign) => !/\p{Emoji_Presentation}/u.test(sign) && within(sign))).toEqual([]);
});

test('each dash and each symbol between Latin letters is part of a link, except emoji and those of Chinese and Japanese', () => {
  const signs = Array.from({ length: 0x20000 - 0x80 }, (_, i) => String.fromCodePoint(0x80 + i))
    .filter(
      (sign) => /[\p{S}\p{Pd}]/u.test(sign) && !/[\p{Emoji_Presentation}\ufffc\u{1d159}\u2800]/u.test(sign),
    )
    .filter(
      (sign) =>
        !/[\u2460-\u24ff\u2776-\u2793\u3000-\u303f\u3200-\u33ff\ufe10-\ufe6f\uff00-\uffff]/u.test(sign),
    );
  expect(signs.length).toBeGreaterThan(6_000);
  const isCut = (sign: string) => linksIn(`https://example.org/a${sign}b`)[0]!.text.at(-1) !== 'b';
  expect(signs.filter(isCut)).toEqual([]);
});

test('the joined parts are the text; every link is http, https or mailto, and nothing in it is invisible or turns it', () => {
  const texts = fc.array(fc.oneof(pieces, fc.string()), { maxLength: 20 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(texts, (text) => {
      const parts: Part[] = partsOf(text);
      expect(parts.map((part) => part.text).join('')).toBe(text);
      for (const part of parts) {
        if (part.tag === 'text') continue;
        expect(part.href).toMatch(/^(https?:\/\/|mailto:)/);
        expect(part.text).not.toMatch(/[\s\p{Bidi_Control}\u200b\u2800]/u);
        expect(part.text).not.toMatch(/[–—★](?:林|$)/u);
        expect(part.text).not.toMatch(/[\u3000-\u3004\u3008-\u3020\u3030\uff01-\uff0f\uff1a-\uff20～]/u);
      }
    }),
  );
});

test('the longest messages take time proportional to their length', () => {
  const calls = vi.spyOn(globalThis, 'URL');
  for (const piece of ['http://', 'http://?', 'mailto:', 'https://a.example)(', 'https://[']) {
    calls.mockClear();
    partsOf(piece.repeat(4_000 / piece.length));
    const parsed = calls.mock.calls.reduce((sum, [url]) => sum + String(url).length, 0);
    expect(parsed, piece).toBeLessThanOrEqual(4_000);
  }
});
