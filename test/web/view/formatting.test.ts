import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type FormattedPart, formattedParts } from '../../../web/view/menu/formatting.ts';

/** Links in `<>`, other formatting in square brackets with its first letter. */
function drawn(parts: readonly FormattedPart[]): string {
  return parts
    .map((part) => {
      if (part.tag === 'text') return part.text;
      return part.tag === 'link' ? `<${part.text}>` : `[${part.tag[0]} ${drawn(part.inside)}]`;
    })
    .join('');
}

function typed(parts: readonly FormattedPart[]): string {
  return parts
    .map((part) => ('inside' in part ? part.open + typed(part.inside) + part.close : part.text))
    .join('');
}

function depth(parts: readonly FormattedPart[]): number {
  return Math.max(0, ...parts.map((part) => ('inside' in part ? 1 + depth(part.inside) : 0)));
}

test.each([
  ['*bold*, _italic_ and `code`.', '[b bold], [i italic] and [c code].'],
  ['*bold _and italic_*', '[b bold [i and italic]]'],
  ['_*both*_', '[i [b both]]'],
  ['(*so*) "_it_" – *is*!', '([b so]) "[i it]" – [b is]!'],
  ['我在*码头*等你，`代码`。', '我在[b 码头]等你，[c 代码]。'],
  ['👍*yes*', '👍[b yes]'],
  ['> a *quote*\n> of two lines\nand more', '[q a [b quote]\n][q of two lines\n]and more'],
  ['`*not bold* _nor italic_`', '[c *not bold* _nor italic_]'],
  ['*see https://example.org/a_b_c*', '[b see <https://example.org/a_b_c>]'],
  ['https://example.org/*a* _https_', '<https://example.org/*a>* [i https]'],
  ['*a *b*', '*a [b b]'],
  ['_a *b_ c*', '[i a *b] c*'],
  ['`a *b*', '`a [b b]'],
])('%j is formatted', (text, parts) => {
  expect(drawn(formattedParts(text))).toBe(parts);
});

test.each([
  'snake_case_name and __init__',
  '2*3*4, 2 * 3 * 4, *2*3',
  '**two** marks',
  '* a list\n* of two',
  'f(*args, **kwargs)',
  '^_^ >_< ¯\\_(ツ)_/¯',
  'a>b, >c, a\n>b',
  '*over\ntwo lines*',
  '* no*, *nor *, ** and __',
  'don`t and won`t',
  '*.ts and *.js',
  '<b>*</b>',
  '',
])('%j shows as typed', (text) => {
  expect(drawn(formattedParts(text))).toBe(text);
});

test('all parts joined are what was typed; nothing is nested deeper than a quote, bold, italic and code', () => {
  const pieces = [
    '*',
    '_',
    '`',
    '> ',
    ' ',
    '\n',
    'a',
    '2',
    '中',
    '，',
    '👍',
    '"',
    'https://a.example/b_c',
    '\ud83d',
  ];
  const text = fc.array(
    fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom(...pieces) },
      { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
    ),
    {
      maxLength: 40,
    },
  );
  fc.assert(
    fc.property(text, fc.boolean(), (words, cut) => {
      const parts = formattedParts(words.join(''), cut);
      expect(typed(parts)).toBe(words.join(''));
      expect(depth(parts)).toBeLessThanOrEqual(4);
    }),
    { numRuns: 1_000 },
  );
});

test.each([
  '*a ',
  '*a _b ',
  '_a *b* ',
  '` a',
  '`a` ',
  '`a`b ',
  '*',
  '_*',
  '*_`',
  '> *a\n',
  '> `\n',
  '`a\n',
  '> > ',
])('16 kB of %j are looked at at most three times', (unit) => {
  const text = unit.repeat(Math.ceil(16_384 / unit.length));
  const meter = { steps: 0 };
  expect(typed(formattedParts(text, false, meter)) === text).toBe(true); // a difference of 16 kB is not readable
  expect(meter.steps).toBeGreaterThanOrEqual(text.length / 3);
  expect(meter.steps).toBeLessThanOrEqual(3 * text.length);
});

test('a link that may be cut by the fold is text', () => {
  const text = 'https://a.example/b https://example.org/c';
  const links = (cut: boolean) => formattedParts(text, cut).filter(({ tag }) => tag === 'link');
  expect([links(false).length, links(true).length]).toEqual([2, 1]);
});
