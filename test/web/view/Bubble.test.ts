import fc from 'fast-check';
import { expect, test } from 'vitest';
import { partsOf } from '../../../web/view/Bubble.tsx';

test.each([
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
])('the links in %j are %j', (text, links) => {
  const found = partsOf(text).flatMap((part) => (part.tag === 'link' ? [part.text] : []));
  expect(found).toEqual(links);
});

test('the joined parts are the text, and every link is http, https or mailto', () => {
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
  );
  const texts = fc.array(fc.oneof(pieces, fc.string()), { maxLength: 20 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(texts, (text) => {
      const parts = partsOf(text);
      expect(parts.map((part) => part.text).join('')).toBe(text);
      for (const part of parts) if (part.tag === 'link') expect(part.href).toMatch(/^(https?:\/\/|mailto:)/);
    }),
  );
});
