import * as v from 'valibot';
import { expect, test } from 'vitest';
import { Entry } from '../../shared/entry.ts';
import { isAmendment, isKnown } from '../../shared/kinds.ts';

const id = 'A'.repeat(22);
const common = { serverOffset: 1, author: id, clientOffset: id, at: 0 };

test.each([
  ['a text', { ...common, kind: 'text', body: 'hello' }],
  ['a blanked text', { ...common, kind: 'text', deleted: true }],
  ['an edit', { ...common, kind: 'edit', target: 1, body: 'hello' }],
  ['a blank edit', { ...common, kind: 'edit', target: 1, deleted: true }],
  ['a deletion', { ...common, kind: 'delete', target: 1 }],
  ['a join', { ...common, kind: 'join' }],
  ['a leave', { ...common, kind: 'leave' }],
])('%s is an entry, and comes out as it went in', (_, value) => {
  expect(v.parse(Entry, value)).toEqual(value);
  expect(isKnown(v.parse(Entry, value))).toBe(true);
});

test('a kind that is not known is kept with all it carries', () => {
  const value = { ...common, kind: 'reaction', target: 1, emoji: '🦔', nested: { a: [1] } };
  expect(v.parse(Entry, value)).toEqual(value);
  expect(isKnown(v.parse(Entry, value))).toBe(false);
});

test.each([
  ['a known kind without what it needs', { ...common, kind: 'edit' }],
  ['a body that is no text', { ...common, kind: 'text', body: 1 }],
  ['deleted: false', { ...common, kind: 'text', deleted: false }],
  ['offset 0', { ...common, serverOffset: 0, kind: 'text' }],
  ['an offset that is no whole number', { ...common, serverOffset: 1.5, kind: 'text' }],
  ['an offset past what is exact', { ...common, serverOffset: 2 ** 53, kind: 'text' }],
  ['an author that is no id', { ...common, author: 'ada', kind: 'reaction' }],
  ['no kind', common],
  ['null', null],
  ['a list', []],
])('refuses %s', (_, value) => {
  expect(v.is(Entry, value)).toBe(false);
});

test('edits and deletions amend, nothing else does', () => {
  const kinds = ['text', 'edit', 'delete', 'join', 'leave', 'reaction'];
  expect(kinds.filter((kind) => isAmendment({ ...common, kind, target: 1 } as Entry))).toEqual([
    'edit',
    'delete',
  ]);
});
