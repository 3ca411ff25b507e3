import { expect, test } from 'vitest';
import { actionOf } from '../../../web/view/Composer.tsx';

const key = (name: string, change: object = {}) => ({
  key: name,
  ctrlKey: false,
  shiftKey: false,
  altKey: false,
  metaKey: false,
  isComposing: false,
  keyCode: 0,
  ...change,
});
const composing = { isComposing: true };
/** Safari ends the composition before it fires the key that ended it. */
const inSafari = { keyCode: 229 };
const KEYBOARD = { isEmpty: true, hasKeyboard: true };
const TOUCH = { isEmpty: true, hasKeyboard: false };

test.each([
  ['Enter on a keyboard', key('Enter'), KEYBOARD, 'send'],
  ['Enter on touch', key('Enter'), TOUCH, undefined],
  ['Ctrl and Enter on touch', key('Enter', { ctrlKey: true }), TOUCH, 'send'],
  ['⌘ and Enter on touch', key('Enter', { metaKey: true }), TOUCH, 'send'],
  ['Shift and Enter', key('Enter', { shiftKey: true }), KEYBOARD, undefined],
  ['Ctrl, Shift and Enter', key('Enter', { ctrlKey: true, shiftKey: true }), TOUCH, undefined],
  ['Enter that chooses a word of an input method', key('Enter', composing), KEYBOARD, undefined],
  ['the same in Safari', key('Enter', inSafari), KEYBOARD, undefined],
  ['Ctrl and Enter while composing', key('Enter', { ...composing, ctrlKey: true }), TOUCH, undefined],
  ['Escape', key('Escape'), KEYBOARD, 'cancel'],
  ['Escape that ends a composition', key('Escape', composing), KEYBOARD, undefined],
  ['the same in Safari', key('Escape', inSafari), KEYBOARD, undefined],
  ['Arrow Up', key('ArrowUp'), KEYBOARD, 'edit'],
  ['Arrow Up in a text', key('ArrowUp'), { ...KEYBOARD, isEmpty: false }, undefined],
  ['Arrow Up while composing', key('ArrowUp', composing), KEYBOARD, undefined],
  ['Ctrl and Arrow Up', key('ArrowUp', { ctrlKey: true }), KEYBOARD, undefined],
  ['Shift and Arrow Up', key('ArrowUp', { shiftKey: true }), KEYBOARD, undefined],
  ['Alt and Arrow Up', key('ArrowUp', { altKey: true }), KEYBOARD, undefined],
  ['⌘ and Arrow Up', key('ArrowUp', { metaKey: true }), KEYBOARD, undefined],
  ['another key', key('a'), KEYBOARD, undefined],
])('%s', (_, event, where, expected) => {
  expect(actionOf(event, where)).toBe(expected);
});
