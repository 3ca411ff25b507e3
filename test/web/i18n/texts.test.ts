import { describe, expect, test } from 'vitest';
import { ERROR_STATUS } from '../../../shared/protocol/index.ts';
import { en } from '../../../web/i18n/en.ts';
import { chooseLocale } from '../../../web/i18n/index.ts';
import { counting } from '../../../web/i18n/plural.ts';
import { sentence } from '../../../web/i18n/reason.ts';
import { createTimes } from '../../../web/i18n/times.ts';

test('every text says something, whatever it is given', () => {
  for (const [path, text] of textsOf(en)) expect(text.trim(), path).not.toBe('');
});

test('every code of the protocol has a sentence of ours, wherever it is told', () => {
  const unsaid = Object.keys(ERROR_STATUS).filter(
    (code) => sentence({ code }, 'message') === en.reasons.other,
  );
  expect(unsaid).toEqual([]);
});

test('the same code means another thing in another place; an unknown one is told by the server', () => {
  expect(sentence({ code: 'conflict' }, 'signIn')).toBe('That name is taken.');
  expect(sentence({ code: 'unauthorized' })).toBe('You are signed out.');
  expect(sentence({ code: 'teapot', message: 'I am one.' })).toBe('I am one.');
  expect(sentence({ code: 'teapot' })).toBe('That did not work.');
  expect(sentence({ code: 'toString' })).toBe('That did not work.');
});

test('numbers take the form that the language has for them', () => {
  const days = counting('en');
  expect([0, 1, 2, 1500].map((n) => days(n, { one: '# day', other: '# days' }))).toEqual([
    '0 days',
    '1 day',
    '2 days',
    '1,500 days',
  ]);
  expect(counting('zh-CN')(1, { other: '# 天' })).toBe('1 天');
  expect(en.connection.offlineWaiting(3)).toBe('Offline. 3 messages wait here.');
  expect(en.tooLong(9000, 4000)).toBe('It has 9,000 characters; a message holds 4,000.');
});

test.each([
  [['de-CH', 'en-GB', 'en'], 'en-GB'],
  [['ZH-cn', 'en'], 'ZH-cn'],
  [['fr'], 'en'],
  [[], 'en'],
])('of %j it speaks %j', (wanted, expected) => {
  expect(chooseLocale(wanted, ['en', 'zh'])).toBe(expected);
});

describe('times', () => {
  const at = (...parts: [number, number, number, number?, number?]) => new Date(...parts).getTime();
  const now = at(2026, 2, 10, 0, 5);
  const times = createTimes('en-GB', en.log);

  test('of a message are minutes, as the region writes them', () => {
    expect(times.minute(at(2026, 2, 10, 13, 4))).toBe('13:04');
    expect(createTimes('en-US', en.log).minute(at(2026, 2, 10, 13, 4))).toMatch(/^1:04\sPM$/);
  });

  test('of a day count nights, not hours', () => {
    expect(times.day(at(2026, 2, 10), now)).toBe('Today');
    expect(times.day(at(2026, 2, 9, 23, 59), now)).toBe('Yesterday');
    expect(times.day(at(2026, 2, 8), now)).toMatch(/^Sunday,? 8 March$/);
    expect(times.day(at(2025, 2, 8), now)).toMatch(/^Saturday,? 8 March 2025$/);
  });

  test('in the list of rooms are as short as can be understood', () => {
    expect(times.recent(at(2026, 2, 10, 0, 1), now)).toBe('00:01');
    expect(times.recent(at(2026, 2, 9, 23), now)).toBe('Mon');
    expect(times.recent(at(2026, 2, 4, 0), now)).toBe('Wed');
    expect(times.recent(at(2026, 2, 3, 23), now)).toBe('3 Mar');
    expect(times.recent(at(2025, 2, 3), now)).toBe('3 Mar 2025');
    expect(times.recent(at(2026, 2, 12), now)).toBe('12 Mar'); // another's clock is ahead
  });
});

/** Every text by its path; those that are made of something are made of a few plain things. */
function textsOf(value: unknown, path = 'en'): [string, string][] {
  if (typeof value === 'string') return [[path, value]];
  if (typeof value === 'function') return [[path, String(value(2, 3))]];
  return Object.entries(value as object).flatMap(([key, inner]) => textsOf(inner, `${path}.${key}`));
}
