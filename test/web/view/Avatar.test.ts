import fc from 'fast-check';
import { expect, test } from 'vitest';
import { initials, TONES, tone } from '../../../web/view/parts/Avatar.tsx';

test.each([
  ['Harbour watch', 'HW'],
  ['Lobby', 'LO'],
  ['osei', 'OS'],
  ['林', '林'],
  ['林小姐', '林'],
  ['Ann 林', 'A'],
  ['é', 'É'],
  ['Jean-Luc', 'JL'],
  ['👩‍👩‍👧 family', '👩‍👩‍👧'],
  ['#1', '1'],
  ['!!', '!!'],
  ['ada', 'AD'],
])('the initials of %j are %j', (name, expected) => {
  expect(initials(name)).toBe(expected);
});

test('the colour of an id is in range and never changes', () => {
  fc.assert(fc.property(fc.string(), (id) => tone(id) >= 0 && tone(id) < TONES));
  expect(['lobby', ''].map(tone)).toEqual([3, 5]);
});
