import { expect, test } from 'vitest';
import { sends } from '../../../web/view/Composer.tsx';

const key = (change: object) => ({
  key: 'Enter',
  shiftKey: false,
  altKey: false,
  isComposing: false,
  keyCode: 13,
  ...change,
});

test.each([
  ['Enter on a keyboard', key({}), true, true],
  ['Enter on touch', key({}), false, false],
  ['Shift and Enter', key({ shiftKey: true }), true, false],
  ['Enter that chooses a word of an input method', key({ isComposing: true }), true, false],
  ['the same in Safari', key({ keyCode: 229 }), true, false],
  ['another key', key({ key: 'a' }), true, false],
])('%s: sends is %4$s', (_, event, keyboard, expected) => {
  expect(sends(event, keyboard)).toBe(expected);
});
