import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ERROR_STATUS } from '../../../shared/protocol/index.ts';
import { en } from '../../../web/i18n/en.ts';
import { enSheets } from '../../../web/i18n/enSheets.ts';
import { counting, createTimes, dayKey, onDayOf } from '../../../web/i18n/formats.ts';
import {
  chooseLocale,
  language,
  localesOf,
  sentence,
  shownTimes,
  speak,
  t,
  times,
  wanted,
} from '../../../web/i18n/index.ts';
import { sheetTexts } from '../../../web/i18n/sheets.ts';
import { zh } from '../../../web/i18n/zh.ts';
import { followClock } from '../../../web/view/menu/followClock.ts';

const LANGUAGES = { en: { ...en, sheets: enSheets }, zh };

test.each(Object.entries(LANGUAGES))('%s: no text is empty, whatever its arguments', (_, texts) => {
  for (const [path, text] of textsOf(texts)) expect(text.trim(), path).not.toBe('');
});

test.each(Object.entries(LANGUAGES))(
  '%s: the first screen promises nothing that iOS does not keep: there a closed app sends nothing when there is a network',
  (_, { hello }) => {
    expect(hello.promise).not.toMatch(/connection|network|联网|网络/);
  },
);

test('every language has exactly the texts of English, and uses every argument that English uses', () => {
  const shapes = Object.values(LANGUAGES).map((texts) =>
    textsOf(texts)
      .map(([path]) => path)
      .sort(),
  );
  for (const shape of shapes) expect(shape).toEqual(shapes[0]);

  const said = Object.values(LANGUAGES).map((texts) => new Map(textsOf(texts)));
  for (const [path, english] of said[0]!)
    for (const given of GIVEN.filter((one) => english.includes(one)))
      for (const texts of said) expect(texts.get(path), path).toContain(given);
});

test('Chinese texts have no English words, and full-width punctuation', () => {
  for (const [path, text] of textsOf(zh)) {
    if (path === 'lang') continue;
    const latin = text.match(/[A-Za-z]+/g) ?? [];
    expect(
      latin.filter((word) => !NAMES_OF_THINGS.has(word)),
      `${path}: ${text}`,
    ).toEqual([]);
    expect(text, path).not.toMatch(/\p{Script=Han}[,;:?!.]/u);
  }
});

test('every error code of the protocol has a sentence', () => {
  const unsaid = Object.keys(ERROR_STATUS).filter(
    (code) => sentence({ code }, 'message') === en.reasons.other,
  );
  expect(unsaid).toEqual([]);
});

test('the sentence of a code depends on the table; for an unknown code it is the server’s message', () => {
  expect(sentence({ code: 'conflict' }, 'signIn')).toBe('That name is taken.');
  expect(sentence({ code: 'unauthorized' })).toBe('You are signed out.');
  expect(sentence({ code: 'teapot', message: 'I am one.' })).toBe('I am one.');
  expect(sentence({ code: 'teapot' })).toBe('That did not work.');
  expect(sentence({ code: 'toString' })).toBe('That did not work.');
});

test('numbers take the plural form of the language', () => {
  const days = counting('en');
  expect([0, 1, 2, 1500].map((n) => days(n, { one: '# day', other: '# days' }))).toEqual([
    '0 days',
    '1 day',
    '2 days',
    '1,500 days',
  ]);
  expect(counting('zh-CN')(1, { other: '# 天' })).toBe('1 天');
  expect(en.connection.offlineWaiting(3)).toBe('Offline. 3 messages are waiting.');
  expect(enSheets.tooLong(9000, 4000)).toBe('This message has 9,000 characters. The limit is 4,000.');
});

test.each([
  [['de-CH', 'en-GB', 'en'], 'en-GB'],
  [['ZH-cn', 'en'], 'ZH-cn'],
  [['fr'], 'en'],
  [[], 'en'],
])('for %j the locale is %j', (wanted, expected) => {
  expect(chooseLocale(wanted, ['en', 'zh'])).toBe(expected);
});

test.each([
  [['en_US', 'C', 'en-US@posix', 'en-GB'], undefined, ['en-GB']],
  [undefined, 'zh-CN', ['zh-CN']],
  [undefined, undefined, []],
  [['', 'x', '*', 'en-', 'de'], 'e', ['de']],
  [[undefined, null, 7, 'en'] as unknown as string[], '', ['en']],
])('of the languages %j and %j, `Intl` takes %j', (languages, language, expected) => {
  const browser = { ...(languages && { languages }), ...(language !== undefined && { language }) };
  expect(localesOf(browser)).toEqual(expected);
  for (const one of localesOf(browser)) createTimes(one, en.log);
});

describe('times', () => {
  const at = (...parts: [number, number, number, number?, number?]) => new Date(...parts).getTime();
  const now = at(2026, 2, 10, 0, 5);
  const times = createTimes('en-GB', en.log);

  test('of messages are in minutes, in the format of the region', () => {
    expect(times.minute(at(2026, 2, 10, 13, 4))).toBe('13:04');
    expect(createTimes('en-US', en.log).minute(at(2026, 2, 10, 13, 4))).toMatch(/^1:04\sPM$/);
  });

  test('of days count calendar days, not hours', () => {
    expect(times.day(at(2026, 2, 10), now)).toBe('Today');
    expect(times.day(at(2026, 2, 9, 23, 59), now)).toBe('Yesterday');
    expect(times.day(at(2026, 2, 8), now)).toMatch(/^Sunday,? 8 March$/);
    expect(times.day(at(2025, 2, 8), now)).toMatch(/^Saturday,? 8 March 2025$/);
    expect(times.date(at(2026, 2, 9, 23, 59), now)).toMatch(/^Monday,? 9 March$/);
  });

  test('in the list of rooms are short', () => {
    expect(times.recent(at(2026, 2, 10, 0, 1), now)).toBe('00:01');
    expect(times.recent(at(2026, 2, 9, 23), now)).toBe('Mon');
    expect(times.recent(at(2026, 2, 4, 0), now)).toBe('Wed');
    expect(times.recent(at(2026, 2, 3, 23), now)).toBe('3 Mar');
    expect(times.recent(at(2025, 2, 3), now)).toBe('3 Mar 2025');
    expect(times.recent(at(2026, 2, 12), now)).toBe('12 Mar'); // the clock of another device is ahead
  });
});

describe('the language', () => {
  const document = { documentElement: { lang: '' } };
  const keeps = (value: string | null) => vi.stubGlobal('localStorage', { getItem: () => value });
  const asks = (...languages: string[]) => vi.stubGlobal('navigator', { languages });

  test('is the one chosen by the user, else the one of the browser', () => {
    asks('zh-CN', 'en');
    keeps(null);
    expect(wanted()).toBe('zh');
    keeps('en');
    expect(wanted()).toBe('en');
    keeps('klingon');
    expect(wanted()).toBe('zh');
    asks('fr', 'de');
    expect(wanted()).toBe('en');
    vi.stubGlobal('localStorage', undefined);
    expect(wanted()).toBe('en'); // a browser without storage
    vi.unstubAllGlobals();
  });

  test.each([[[]], [['en_US']], [['C', '*']], [undefined]])(
    'of a browser that asks for %j is English',
    async (languages) => {
      keeps(null);
      vi.stubGlobal('navigator', { languages });
      vi.stubGlobal('document', document);
      await speak(wanted());
      expect([language.get(), times.minute(0)]).toEqual(['en', expect.stringMatching(/^\d/)]);
      vi.unstubAllGlobals();
    },
  );

  test('changes in all texts at once, in times, and in the document for screen readers', async () => {
    vi.stubGlobal('document', document);
    let told = 0;
    const stop = language.subscribe(() => told++);
    await speak('zh');
    expect([t.rooms.title, sheetTexts().signOut.confirm, sentence({ code: 'empty' })]).toEqual([
      zh.rooms.title,
      zh.sheets.signOut.confirm,
      zh.reasons.any.empty,
    ]);
    expect(times.day(Date.UTC(2020, 2, 3, 12), Date.now())).toBe('2020年3月3日星期二');
    expect([language.get(), document.documentElement.lang, told]).toEqual(['zh', 'zh-Hans', 1]);

    await speak('en');
    expect([t.rooms.title, sheetTexts().signOut.confirm]).toEqual([en.rooms.title, enSheets.signOut.confirm]);
    expect([language.get(), document.documentElement.lang, told]).toEqual(['en', 'en', 2]);
    stop();
    vi.unstubAllGlobals();
  });
});

describe('a day of the calendar', () => {
  const zone = process.env.TZ;
  afterAll(() => {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  });

  test.each([
    ['Europe/Berlin', '2026-03-29T12:00', 23],
    ['Europe/Berlin', '2026-10-25T12:00', 25],
    ['Asia/Beirut', '2026-03-29T12:00', 23, 1], // begins at 1:00
    ['America/Havana', '2026-11-01T00:30', 25], // at 1:00 it is 0:00 once more
    ['Asia/Tokyo', '2026-02-28T23:59', 24],
  ])('a day in %s at %s has %d hours', (zone, local, hours, firstHour = 0) => {
    process.env.TZ = zone;
    const at = new Date(local).getTime();
    const isOnDay = onDayOf(at);
    const begin = new Date(at).setHours(firstHour, 0, 0, 0);
    const end = begin + hours * 3_600_000;
    expect([begin - 1, begin, at, end - 1, end].map(isOnDay)).toEqual([false, true, true, true, false]);
    for (let time = begin - 86_400_000; time < end + 86_400_000; time += 600_000)
      expect(isOnDay(time), new Date(time).toString()).toBe(dayKey(time) === dayKey(at));
  });
});

describe('the clock', () => {
  const zone = process.env.TZ;
  const listeners = new EventTarget();
  let drawn = 0;
  let stop = () => {};
  beforeAll(() => {
    vi.useFakeTimers({ now: Date.UTC(2026, 2, 10, 20, 59, 30) });
    vi.stubGlobal('addEventListener', listeners.addEventListener.bind(listeners));
    process.env.TZ = 'Europe/Berlin';
    followClock();
    stop = shownTimes.subscribe(() => drawn++);
  });
  afterAll(() => {
    stop();
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  test('of a device that changes its zone: times follow within a minute, at once when somebody comes back or touches the page', () => {
    const before = drawn;
    process.env.TZ = 'Asia/Tokyo';
    vi.advanceTimersByTime(30_000);
    expect(drawn).toBe(before + 1);
    expect(times.minute(Date.now())).toMatch(/^0?6:00/);
    process.env.TZ = 'Europe/Berlin';
    listeners.dispatchEvent(new Event('focus'));
    expect(drawn).toBe(before + 2);
    expect(times.minute(Date.now())).toMatch(/^(22|10):00/);
    for (const [i, event] of ['visibilitychange', 'pageshow', 'pointerdown', 'keydown'].entries()) {
      process.env.TZ = i % 2 === 0 ? 'Asia/Tokyo' : 'Europe/Berlin';
      listeners.dispatchEvent(new Event(event));
      expect(drawn, event).toBe(before + 3 + i);
      expect(times.minute(Date.now()), event).toMatch(i % 2 === 0 ? /^0?6:00/ : /^(22|10):00/);
    }
    listeners.dispatchEvent(new Event('focus'));
    vi.advanceTimersByTime(3_600_000);
    expect(drawn).toBe(before + 6); // nothing has changed
  });

  test('at midnight the day changes, without anybody', () => {
    const before = drawn;
    vi.setSystemTime(new Date(2026, 2, 10, 23, 58, 30));
    vi.advanceTimersByTime(60_000);
    expect(drawn).toBe(before);
    vi.advanceTimersByTime(60_000);
    expect(drawn).toBe(before + 1);
  });
});

/** The arguments of every text function, and what must be in its result. */
const GIVEN = ['77', '88'];

/** Names that are the same in every language. */
const NAMES_OF_THINGS = new Set([
  'Holdfast',
  'Chrome',
  'Safari',
  'Firefox',
  'HTTP',
  'HTTPS',
  'GB',
  'Wi',
  'Fi',
]);

/** Every text by its path; functions are called with the arguments GIVEN. */
function textsOf(value: unknown, path = ''): [string, string][] {
  if (typeof value === 'string') return [[path, value]];
  if (typeof value === 'function') return [[path, String(value(...GIVEN.map(Number)))]];
  return Object.entries(value as object).flatMap(([key, inner]) =>
    textsOf(inner, path === '' ? key : `${path}.${key}`),
  );
}
