import * as v from 'valibot';
import { expect, test } from 'vitest';
import { Entry } from '../../shared/entry.ts';
import { isAmendment, isKnown } from '../../shared/kinds.ts';

const id = 'A'.repeat(22);
const common = { serverOffset: 1, author: id, clientOffset: id, at: 0 };

test.each([
  ['a text', { ...common, kind: 'text', body: 'hello' }],
  ['a redacted text', { ...common, kind: 'text', deleted: true }],
  ['an edit', { ...common, kind: 'edit', target: 1, body: 'hello' }],
  ['a redacted edit', { ...common, kind: 'edit', target: 1, deleted: true }],
  ['a deletion', { ...common, kind: 'delete', target: 1 }],
  ['a join', { ...common, kind: 'join' }],
  ['a leave', { ...common, kind: 'leave' }],
])('%s is an entry and is parsed unchanged', (_, value) => {
  expect(v.parse(Entry, value)).toEqual(value);
  expect(isKnown(v.parse(Entry, value))).toBe(true);
});

test('an unknown kind is kept with all its fields', () => {
  const value = { ...common, kind: 'reaction', target: 1, emoji: '🦔', nested: { a: [1] } };
  expect(v.parse(Entry, value)).toEqual(value);
  expect(isKnown(v.parse(Entry, value))).toBe(false);
});

test.each([
  ['a known kind without a required field', { ...common, kind: 'edit' }],
  ['a body that is no string', { ...common, kind: 'text', body: 1 }],
  ['deleted: false', { ...common, kind: 'text', deleted: false }],
  ['offset 0', { ...common, serverOffset: 0, kind: 'text' }],
  ['an offset that is no integer', { ...common, serverOffset: 1.5, kind: 'text' }],
  ['an offset beyond the safe integers', { ...common, serverOffset: 2 ** 53, kind: 'text' }],
  ['an author that is no id', { ...common, author: 'ada', kind: 'reaction' }],
  ['no kind', common],
  ['null', null],
  ['a list', []],
])('refuses %s', (_, value) => {
  expect(v.is(Entry, value)).toBe(false);
});

test('only edits and deletions are amendments', () => {
  const kinds = ['text', 'edit', 'delete', 'join', 'leave', 'reaction'];
  expect(kinds.filter((kind) => isAmendment({ ...common, kind, target: 1 } as Entry))).toEqual([
    'edit',
    'delete',
  ]);
});
