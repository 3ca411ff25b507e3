import { expect, test } from 'vitest';
import { DEBIANS_HEADLESS_SHELL, headlessShellIn } from './chromium.ts';
import { chromiumsInWords } from './setup/browser.ts';

const everything = () => true;

test('whoever names a browser gets that one for all tests; the headless shell only where nobody did, or where it is named, too', () => {
  expect(headlessShellIn({}, everything)).toBe(DEBIANS_HEADLESS_SHELL);
  expect(headlessShellIn({ CHROMIUM_PATH: '' }, everything)).toBe(DEBIANS_HEADLESS_SHELL);
  expect(headlessShellIn({ CHROMIUM_PATH: '/my/browser' }, everything)).toBe(undefined);
  expect(headlessShellIn({ CHROMIUM_PATH: '/my/browser', HEADLESS_SHELL_PATH: '/shell' }, everything)).toBe(
    '/shell',
  );
  expect(headlessShellIn({ HEADLESS_SHELL_PATH: '' }, everything)).toBe(undefined);
  expect(headlessShellIn({}, () => false)).toBe(undefined);
});

test('`npm test` says in one line which Chromium the tests use', () => {
  expect(chromiumsInWords({ CHROMIUM_PATH: '/c', HEADLESS_SHELL_PATH: '/s' })).toBe(
    'Chromium: most tests use /s, the others /c',
  );
  expect(chromiumsInWords({ CHROMIUM_PATH: '/c', HEADLESS_SHELL_PATH: '' })).toBe(
    'Chromium: all tests use /c',
  );
});
