import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Message } from '../../../web/state/model.ts';
import { looksSame, partsOf } from '../../../web/view/Bubble.tsx';

const message: Message = {
  key: 'ada 1',
  clientOffset: '1',
  serverOffset: undefined,
  author: { id: 'ada', name: 'Ada' },
  mine: true,
  at: 1,
  content: { tag: 'text', body: 'two seals', edited: false },
  status: { tag: 'queued' },
  pending: 'none',
  can: { edit: true, remove: true },
};

test('a bubble renders again if and only if something visible has changed', () => {
  expect(looksSame(message, structuredClone(message))).toBe(true);
  expect(looksSame(message, { ...message, serverOffset: 7, can: { edit: false, remove: false } })).toBe(true);
  const others: Partial<Message>[] = [
    { clientOffset: '2' },
    { author: { id: 'ada', name: 'Ada L.' } },
    { at: 2 },
    { content: { tag: 'text', body: 'three seals', edited: false } },
    { content: { tag: 'text', body: 'two seals', edited: true } },
    { content: { tag: 'deleted' } },
    { status: { tag: 'sent' } },
  ];
  for (const other of others)
    expect(looksSame(message, { ...message, ...other }), JSON.stringify(other)).toBe(false);
});

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
