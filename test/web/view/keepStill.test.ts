import { expect, test } from 'vitest';
import type { Message } from '../../../web/state/model.ts';
import { stepBetween } from '../../../web/view/menu/keepStill.ts';

const all = [...'abcdefgh'].map((key) => ({ key }) as Message);
const from = (keys: string) => [...keys].map((key) => all.find((one) => one.key === key)!);

test.each([
  ['defgh', 'abcdef', { removedAbove: 0, addedAbove: 3, kept: 3, addedBelow: 0 }],
  ['abcdef', 'defgh', { removedAbove: 3, addedAbove: 0, kept: 3, addedBelow: 2 }],
  ['cde', 'abcde', { removedAbove: 0, addedAbove: 2, kept: 3, addedBelow: 0 }],
  ['abc', 'abcde', { removedAbove: 0, addedAbove: 0, kept: 3, addedBelow: 2 }],
  ['abcde', 'abc', { removedAbove: 0, addedAbove: 0, kept: 3, addedBelow: 0 }],
  ['abc', 'abc', { removedAbove: 0, addedAbove: 0, kept: 3, addedBelow: 0 }],
  ['bcd', 'abcde', { removedAbove: 0, addedAbove: 1, kept: 3, addedBelow: 1 }],
])('from %s to %s the window takes a step', (before, now, step) => {
  expect(stepBetween(from(before), from(now))).toEqual(step);
});

test.each([
  ['', 'abc'],
  ['abc', ''],
  ['', ''],
  ['abc', 'def'],
  ['abd', 'abcd'],
  ['abcd', 'abd'],
  ['abc', 'bac'],
])('from %s to %s it does not', (before, now) => {
  expect(stepBetween(from(before), from(now))).toBeUndefined();
});

test('a message that has changed is another one', () => {
  expect(stepBetween(from('abc'), [all[0]!, { ...all[1]! }, all[2]!])).toBeUndefined();
});
