import { expect, test } from 'vitest';
import { matching, mentionParts, queryBefore } from '../../../web/view/menu/mentionParts.ts';

const people = ['Ann', 'Anna', 'Mika', '林', 'Mary Ann'].map((name) => ({ name }));
const named = (text: string) => mentionParts(text, people).flatMap(({ who }) => who?.name ?? []);

test('names after an @ are found, the longer of two that begin alike, and all parts joined are the text', () => {
  const text = 'Hi @Anna, @Ann and @Mary Ann! @林你好 @Mika';
  expect(named(text)).toEqual(['Anna', 'Ann', 'Mary Ann', '林', 'Mika']);
  const parts = mentionParts(text, people);
  expect(parts.map((part) => part.text).join('')).toBe(text);
});

test.each(['ann@Mika', 'x.@Mika', '@mika', '@Annabel', '@ Mika', 'Mika', '@Mikä', '@Mika2'])(
  '%s mentions nobody',
  (text) => expect(named(text)).toEqual([]),
);

test('what is completed is between the last @ and the caret', () => {
  expect(queryBefore('Hi @Mi', 6)).toEqual({ at: 3, query: 'Mi' });
  expect(queryBefore('Hi @Mi and more', 6)).toEqual({ at: 3, query: 'Mi' });
  expect(queryBefore('@', 1)).toEqual({ at: 0, query: '' });
  expect(queryBefore('你好@林', 4)).toEqual({ at: 2, query: '林' });
  expect(queryBefore('me@example', 10)).toBeUndefined();
  expect(queryBefore('@Mika\nnext', 9)).toBeUndefined();
  expect(queryBefore(`@${'x'.repeat(100)}`, 101)).toBeUndefined();
});

test('people are found by the beginning of any word of their name', () => {
  expect(matching(people, 'an').map(({ name }) => name)).toEqual(['Ann', 'Anna', 'Mary Ann']);
  expect(matching(people, '')).toHaveLength(5);
  expect(matching(people, 'mary a')).toEqual([{ name: 'Mary Ann' }]);
});
